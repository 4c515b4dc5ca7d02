"""What each layer takes of each resource, as a share of the board's budget."""

from __future__ import annotations

from codesign.report.colours import GRID, of_kind
from codesign.report.data import Counts, ReportData
from codesign.report.figures.base import Figure, Panel, layer_order, panel_width, tiled
from codesign.report.format import count, percent, resource_name
from codesign.report.svg import canvas, line, rect, shortened, soft, text

ROW, HEAD, MOST = 20, 32, 12
FIFOS, ADAPTERS = "FIFOs", "AXI adapters"


def draw(data: ReportData, width: int) -> str | None:
    """One panel per resource that the design uses; layers in the order of the network."""
    kinds = [k for k, used in data.total.items() if used > 0 and _rows(data, k)]
    if not kinds:
        return None
    panels = [_panel(data, kind, panel_width(width)) for kind in kinds]
    body, height = tiled(panels, width)
    return canvas(FIGURE.name, FIGURE.title, width, height, [body])


def _panel(data: ReportData, kind: str, width: float) -> Panel:
    rows = _rows(data, kind)
    total = data.total[kind]
    budget = data.board.budget.get(kind) if data.board else None
    share = f" — {percent(total / budget)} of the budget" if budget else ""
    top = max(amount for _, amount, _ in rows)
    head = text(0, 14, resource_name(kind), 13, font_weight=600)
    head += soft(76, 14, f"{count(total)}{share}", 12) + line(0, 22, width, 22, GRID)
    bars = [_bar(row, i, top, width, budget) for i, row in enumerate(rows)]
    return Panel(head + "".join(bars), HEAD + ROW * len(rows))


def _bar(
    row: tuple[str, float, str], i: int, top: float, width: float, budget: float | None
) -> str:
    name, amount, colour = row
    y, label, value = HEAD + i * ROW, width * 0.36, 104
    length = (width - label - value) * amount / top
    share = f" · {percent(amount / budget, 1)}" if budget else ""
    return "".join(
        (
            text(0, y + 12, shortened(name, label - 8), 12),
            rect(label, y + 3, max(length, 1), 11, colour, f"{name}: {count(amount)}", rx=2),
            soft(label + max(length, 1) + 6, y + 12, count(amount) + share),
        )
    )


def _rows(data: ReportData, kind: str) -> list[tuple[str, float, str]]:
    """(name, amount, colour) of the largest takers in network order, the rest summed up."""
    order = [b.name for b in data.blocks]
    takers = [(b.name, b.resources.get(kind, 0.0), of_kind(b.kind)) for b in data.blocks]
    fifos = _fifos(data).get(kind, 0.0)
    ranked = sorted((t for t in takers if t[1] > 0), key=lambda t: -t[1])
    shown = sorted(ranked[:MOST], key=lambda t: layer_order(order, t[0]))
    rest = sum(amount for _, amount, _ in ranked[MOST:])
    if rest:
        shown.append((f"{len(ranked) - MOST} smaller blocks", rest, of_kind("")))
    others = ((FIFOS, fifos), (ADAPTERS, data.adapters.get(kind, 0.0)))
    return shown + [(name, amount, of_kind("")) for name, amount in others if amount]


def _fifos(data: ReportData) -> Counts:
    kinds = {k for s in data.streams for k in s.resources}
    return {k: sum(s.resources.get(k, 0.0) for s in data.streams) for k in kinds}


FIGURE = Figure(
    "resources",
    "Resources by layer",
    "Numbers are primitives as the vendor counts them and their share of the board's budget; the "
    "largest twelve blocks of each kind are shown one by one.",
    draw,
)
