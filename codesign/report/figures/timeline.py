"""Occupancy of the pipeline over time, as the simulator saw it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from codesign.report.colours import occupancy
from codesign.report.data import ReportData, TimelinePart
from codesign.report.figures.base import Figure
from codesign.report.figures.plot import ticks
from codesign.report.format import count
from codesign.report.svg import canvas, line, rect, shortened, soft, text

ROW, FOOT = 18, 24


def draw(data: ReportData, width: int) -> str | None:
    """A row per stage, a cell per time bin, darker when the stage works more."""
    if data.simulation is None or data.simulation.timeline is None:
        return None
    timeline = data.simulation.timeline
    left, bottom = min(240.0, width * 0.38), ROW * len(timeline.rows)
    rows = [_row(timeline, i, left, width) for i in range(len(timeline.rows))]
    axis = _axis(timeline, left, width, bottom)
    return canvas(FIGURE.name, FIGURE.title, width, bottom + FOOT, [*rows, axis])


def _row(timeline: TimelinePart, index: int, left: float, width: int) -> str:
    row, y = timeline.rows[index], index * ROW
    cell = (width - left) / max(1, len(row.busy))
    cells = (
        rect(left + a * cell, y + 1, (b - a) * cell + 0.3, ROW - 3, occupancy(share))
        for a, b, share in _runs(row.busy)
    )
    return text(0, y + 12, shortened(row.name, left - 10), 12) + "".join(cells)


def _runs(busy: tuple[float, ...]) -> Iterator[tuple[int, int, float]]:
    """(first bin, bin after the last, share) of neighbours that look the same: a smaller file."""
    start = 0
    for share, group in groupby(round(b * 16) / 16 for b in busy):
        end = start + len(list(group))
        yield start, end, share
        start = end


def _axis(timeline: TimelinePart, left: float, width: int, y: float) -> str:
    bins = max((len(r.busy) for r in timeline.rows), default=1)
    start, span = timeline.start_cycle, timeline.bin_cycles * bins
    marks = ticks(start, start + span, 5 if width > 600 else 3)
    placed = [(left + (width - left) * (t - start) / span, t) for t in marks]
    return "".join(
        line(x, y, x, y + 4, "#8a95a3") + soft(x, y + 17, count(t), anchor=_anchor(x, left, width))
        for x, t in placed
    )


def _anchor(x: float, left: float, width: int) -> str:
    if x > width - 30:
        return "end"
    return "start" if x < left + 20 else "middle"


FIGURE = Figure(
    "timeline",
    "Pipeline occupancy over time",
    "Simulated, in clock cycles from the first beat of the first frame; dark means busy.",
    draw,
)
