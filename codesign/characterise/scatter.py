"""Predicted against measured counts of the held-out rows, as an SVG figure."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log10
from pathlib import Path

from codesign.characterise.assess import Verdict
from codesign.cost.model import FITTED
from codesign.files import write_text_atomic
from codesign.report.colours import GRID, RED, SOFT
from codesign.report.svg import circle, element, line, soft, text

SIDE, MARGIN = 320, 50
# Errors between the outer lines are the goal for nine rows of ten.
GOAL = 0.15
TITLES = {"lut": "LUT", "ff": "Flip-flops"}


def write_scatter(path: Path, verdicts: Sequence[Verdict]) -> None:
    """Write one panel a fitted count, both axes logarithmic, a dot a row with its kind as tooltip."""
    panels = "".join(_panel(count, i, verdicts) for i, count in enumerate(FITTED))
    width, height = len(FITTED) * (SIDE + 2 * MARGIN), SIDE + 2 * MARGIN
    figure = element(
        "svg",
        panels,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        font_family="sans-serif",
    )
    write_text_atomic(path, figure + "\n")


def _panel(count: str, number: int, verdicts: Sequence[Verdict]) -> str:
    pairs = [(v.measured[count], v.predicted[count], v) for v in verdicts if v.measured[count]]
    decades = max(1, ceil(log10(max((max(m, p) for m, p, _ in pairs), default=10))))
    left, bottom, scale = number * (SIDE + 2 * MARGIN) + MARGIN, MARGIN + SIDE, SIDE / decades

    def place(measured: float, predicted: float) -> tuple[float, float]:
        across, up = (log10(max(1.0, value)) * scale for value in (measured, predicted))
        return left + across, bottom - up

    def diagonal(factor: float, colour: str) -> str:
        ends = (
            *place(1 / min(1, factor), max(1, factor)),
            *place(10**decades, 10**decades * factor),
        )
        return line(*ends, stroke=colour)

    marks = "".join(
        soft(left + d * scale, bottom + 16, f"{10**d}", anchor="middle")
        + soft(left - 6, bottom - d * scale + 4, f"{10**d}", anchor="end")
        for d in range(decades + 1)
    )
    lines = diagonal(1, SOFT) + diagonal(1 + GOAL, GRID) + diagonal(1 - GOAL, GRID)
    dots = "".join(
        circle(*place(m, p), 2.5, RED if abs(p - m) > GOAL * m else SOFT, _tip(v, m, p))
        for m, p, v in pairs
    )
    title = text(left, MARGIN - 16, f"{TITLES[count]}: predicted (up) against measured")
    return title + marks + lines + dots


def _tip(verdict: Verdict, measured: float, predicted: float) -> str:
    return f"{verdict.kind}: {measured:.0f} measured, {predicted:.0f} predicted"
