"""The network as a picture: blocks with their bits and folding, streams with widths and depths."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from codesign.report.colours import FAINT, GRID, INK, ORANGE, PAPER, SLATE, SOFT, of_kind
from codesign.report.data import BlockPart, ReportData, StreamPart
from codesign.report.figures.base import Figure
from codesign.report.figures.layout import GAP, SMALL_HEIGHT, Edge, Row, edges_of, ordered, rows_of
from codesign.report.format import count, shape
from codesign.report.svg import canvas, element, path, rect, shortened, soft, text, tooltip

LANE, SPACE = 11, 46
FEW = 9
"""Networks of at most this many rows stay in one column on a wide screen, too."""


def draw(data: ReportData, width: int) -> str | None:
    """All blocks and streams of the design."""
    if not data.blocks:
        return None
    order = ordered(data.blocks, data.streams)
    edges = edges_of(order, data.streams)
    columns = 1 if width < 600 else min(3, 1 + len(order) // FEW)
    rows = rows_of(order, data.blocks, edges, columns)
    gutter = LANE * max((e.lane for e in edges), default=0)
    used = max(r.column for r in rows) + 1
    box = min(420.0, (width - (used - 1) * SPACE) / used - gutter - 2)
    lefts = [gutter + 1 + (box + gutter + SPACE) * r.column for r in rows]
    slowest = max(b.interval_cycles for b in data.blocks)
    body = [_edge(e, rows, lefts, box) for e in edges]
    body += [_box(r, x, box, slowest, data) for r, x in zip(rows, lefts, strict=True)]
    height = max(r.y + r.height for r in rows) + 8
    return canvas(FIGURE.name, FIGURE.title, width, height, body)


def _box(row: Row, x: float, width: float, slowest: int, data: ReportData) -> str:
    if row.block is None:
        return _host(row, x, width, data)
    if row.height == SMALL_HEIGHT:
        return _small(row, row.block, x, width)
    return _large(row, row.block, x, width, slowest)


def _large(row: Row, block: BlockPart, x: float, width: float, slowest: int) -> str:
    colour, y = of_kind(block.kind), row.y
    share = block.interval_cycles / slowest if slowest else 0
    first = shortened(block.name, width - 96, 12.5)
    kind = soft(x + width - 10, y + 18, block.kind, 10.5, "end")
    second = shortened(f"{_types(block)} · {_fold(block)}", width - 22, 11)
    bar = ORANGE if share == 1 else SLATE
    return element(
        "g",
        tooltip(_tip(block)),
        rect(x, y, width, row.height, PAPER, stroke="#c9d1da", rx=6),
        path(f"M{x + 3} {y + 7} V{y + row.height - 7}", colour, 3.5, stroke_linecap="round"),
        text(x + 12, y + 18, first, 12.5, font_weight=600),
        kind,
        text(x + 12, y + 34, second, 11, SOFT),
        rect(x + 12, y + 41, width - 24, 3, GRID, rx=1.5),
        rect(x + 12, y + 41, (width - 24) * share, 3, bar, rx=1.5),
    )


def _small(row: Row, block: BlockPart, x: float, width: float) -> str:
    inset = _inset(row, width)
    return element(
        "g",
        tooltip(_tip(block)),
        rect(x + inset, row.y, width - 2 * inset, row.height, "#f4f6f8", stroke=GRID, rx=11),
        text(
            x + width / 2,
            row.y + 15,
            shortened(block.kind, width - 2 * inset - 12, 10.5),
            10.5,
            SOFT,
            "middle",
        ),
    )


def _host(row: Row, x: float, width: float, data: ReportData) -> str:
    end = data.input if row.name == "host in" else data.output
    word = "input" if row.name == "host in" else "output"
    label = f"{word} {end.name} · {shape(end.shape)} · {end.qtype}" if end else f"host {word}"
    return rect(x, row.y, width, row.height, INK, rx=11) + text(
        x + width / 2, row.y + 15, shortened(label, width - 16, 11), 11, PAPER, "middle"
    )


def _types(block: BlockPart) -> str:
    ends = [block.input_type, block.output_type]
    arrow = " → ".join(t for t in ends if t)
    return f"{arrow} · w {block.weight_type}" if block.weight_type else arrow


def _fold(block: BlockPart) -> str:
    if block.simd > 1 or block.weight_type:
        return f"{block.pe} × {block.simd}"
    return f"{block.pe} lane{'s' if block.pe > 1 else ''}"


def _tip(block: BlockPart) -> str:
    places = f", {block.multiplier} multipliers" if block.weight_type else ""
    memory = f", memory in {block.memory}" if block.memory else ""
    return (
        f"{block.name} ({block.kind} {block.size}): {_types(block)}, {_fold(block)}{places}{memory}, "
        f"{count(block.interval_cycles)} cycles a frame"
    )


def _edge(edge: Edge, rows: Sequence[Row], lefts: Sequence[float], box: float) -> str:
    a, b = rows[edge.source], rows[edge.target]
    xa, xb = lefts[edge.source], lefts[edge.target]
    label = ""
    if a.column != b.column:
        way = _turn(a, b, xa, xb, box)
    elif edge.lane:
        inset_a, inset_b = _inset(a, box), _inset(b, box)
        way = _skip(edge.lane, a, b, xa, inset_a, inset_b)
    else:
        way = f"M{xa + box / 2} {a.y + a.height} V{b.y}"
        words = f"{edge.stream.lanes} × {edge.stream.qtype} · FIFO {edge.stream.depth}"
        label = soft(xa + box / 2 + 8, b.y - GAP / 2 + 4, words, 10)
    thick = 1 + log2(max(1, edge.stream.bits)) / 2.2
    tip = tooltip(_stream_tip(edge.stream))
    return element("g", tip, path(way, SLATE if edge.lane else FAINT, thick)) + label


def _turn(a: Row, b: Row, xa: float, xb: float, box: float) -> str:
    """From the right side of the last box of a column to the left side of the next column's first."""
    middle = xa + box + SPACE / 2
    start, end = xa + box - _inset(a, box), xb + _inset(b, box)
    return f"M{start} {a.y + a.height / 2} H{middle} V{b.y + b.height / 2} H{end}"


def _inset(row: Row, width: float) -> float:
    """How much narrower than its column the pill of a small block is, at each side."""
    return width * 0.16 if row.block is not None and row.height == SMALL_HEIGHT else 0.0


def _skip(lane: int, a: Row, b: Row, x: float, inset_a: float, inset_b: float) -> str:
    """Out at the left side, down in a lane of the gutter, in at the left side."""
    at, ya, yb = x - LANE * lane + 2, a.y + a.height / 2, b.y + b.height / 2
    down = f"H{at + 5} Q{at} {ya} {at} {ya + 5} V{yb - 5} Q{at} {yb} {at + 5} {yb} H{x + inset_b}"
    return f"M{x + inset_a} {ya} {down}"


def _stream_tip(stream: StreamPart) -> str:
    return (
        f"{stream.source} → {stream.target}: {stream.bits} bits a beat, "
        f"{count(stream.beats_per_frame)} beats a frame, FIFO of {stream.depth} ({stream.style})"
    )


FIGURE = Figure(
    "network",
    "The network on the board",
    "From input to output. Each box: types of its input, output and weights (w), and its folding (PE "
    "outputs × SIMD inputs a cycle); the bar is its cycles per frame, orange for the slowest. Lines: "
    "lanes × type of a beat and the depth of the FIFO; thicker means wider.",
    draw,
)
