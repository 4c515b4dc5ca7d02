"""How each stage spends its cycles in steady state: working, starved or blocked."""

from __future__ import annotations

from codesign.report.colours import BLUE, GRID, ORANGE
from codesign.report.data import ReportData, StagePart
from codesign.report.figures.base import Figure
from codesign.report.format import percent
from codesign.report.svg import canvas, legend, rect, shortened, soft, text

ROW, HEAD = 20, 26
SHARES = (("busy", BLUE), ("starved", GRID), ("blocked", ORANGE))


def draw(data: ReportData, width: int) -> str | None:
    """One stacked bar per stage."""
    if data.simulation is None or not data.simulation.stages:
        return None
    stages = data.simulation.stages
    key = legend(0, 10, [(name, colour) for name, colour in SHARES])
    rows = [_row(stage, HEAD + i * ROW, width) for i, stage in enumerate(stages)]
    return canvas(FIGURE.name, FIGURE.title, width, HEAD + ROW * len(stages), [key, *rows])


def _row(stage: StagePart, y: float, width: int) -> str:
    left, right = min(240.0, width * 0.38), width - 44
    parts, x = [text(0, y + 12, shortened(stage.name, left - 10), 12)], left
    for name, colour in SHARES:
        share = getattr(stage, name)
        length = (right - left) * share
        parts.append(
            rect(x, y + 2, length, 13, colour, f"{stage.name}: {name} {percent(share, 1)}")
        )
        x += length
    parts.append(soft(width, y + 12, percent(stage.busy), anchor="end"))
    return "".join(parts)


FIGURE = Figure(
    "stages",
    "Where the cycles go",
    "Simulated. Starved: waits for its input. Blocked: waits for space behind it. The number on the "
    "right is the busy share; the stage nearest to 100 % sets the frame rate.",
    draw,
)
