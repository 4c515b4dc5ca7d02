"""Total demand of each resource against the budget and the whole device."""

from __future__ import annotations

from codesign.report.colours import BLUE, GRID, INK, RED
from codesign.report.data import ReportData
from codesign.report.figures.base import Figure
from codesign.report.format import count, percent, resource_name
from codesign.report.svg import canvas, line, rect, soft, text

ROW = 46


def draw(data: ReportData, width: int) -> str | None:
    """One bar per resource; its full length is the device, the dark tick the budget."""
    if data.board is None or not data.total:
        return None
    kinds = [k for k, device in data.board.device.items() if device > 0]
    rows = [_row(data, kind, i * ROW, width) for i, kind in enumerate(kinds)]
    return canvas(FIGURE.name, FIGURE.title, width, len(kinds) * ROW + 4, rows)


def _row(data: ReportData, kind: str, y: float, width: int) -> str:
    used, device = data.total.get(kind, 0.0), data.board.device[kind]
    budget = data.board.budget.get(kind, 0.0)
    over = used > budget + 1e-9
    tick = width * budget / device
    share = percent(used / budget) if budget else "no budget"
    note = f"{count(used)} of {count(budget)}"
    return "".join(
        (
            text(0, y + 14, resource_name(kind), 13, font_weight=600),
            text(
                width,
                y + 14,
                f"{share}{' — over' if over else ''}",
                13,
                RED if over else INK,
                "end",
            ),
            soft(76, y + 14, note, 12),
            rect(0, y + 21, width, 9, GRID, f"device: {count(device)}", rx=4),
            rect(
                0, y + 21, min(width, width * used / device), 9, RED if over else BLUE, note, rx=4
            ),
            line(tick, y + 18, tick, y + 33, INK, stroke_width=2),
        )
    )


FIGURE = Figure(
    "budget",
    "Resources against the board",
    "Full length: the whole device. Dark tick: the share a design may use. Percentages are of that "
    "share.",
    draw,
)
