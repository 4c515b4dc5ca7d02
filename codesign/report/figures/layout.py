"""Where the blocks of a network stand in its picture: a column of rows, skips in a gutter.

Blocks come one below the other in topological order. A stream to the next row is a straight line;
a stream that skips rows runs in a lane of the gutter at the left. On a wide screen the rows are
broken into columns, only where nothing but the main stream crosses.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from codesign.report.data import BlockPart, StreamPart

HOST = "host"
PLUMBING = ("WidthConverter", "Fork")
BLOCK_HEIGHT, SMALL_HEIGHT, GAP = 50, 22, 24


class Row(NamedTuple):
    """A block or an end of the host, with the top of its box; `block` is None for the host."""

    name: str
    block: BlockPart | None
    column: int
    y: float
    height: float


class Edge(NamedTuple):
    """A stream between two rows; `lane` is 0 for a straight one, else its place in the gutter."""

    stream: StreamPart
    source: int
    target: int
    lane: int


def end_of(port: str, is_source: bool) -> str:
    """Block name of a port name; the host has two ends, "host in" and "host out"."""
    if port == HOST:
        return "host in" if is_source else "host out"
    return port.rpartition(".")[0]


def ordered(blocks: Sequence[BlockPart], streams: Sequence[StreamPart]) -> list[str]:
    """Names of all rows in topological order, chains kept together."""
    ends = [(end_of(s.source, True), end_of(s.target, False)) for s in streams]
    names = ["host in", *(b.name for b in blocks), "host out"]
    waiting = {n: sum(target == n for _, target in ends) for n in names}
    ready, order = [n for n in reversed(names) if waiting[n] == 0], []
    while ready:
        name = ready.pop()
        order.append(name)
        for source, target in ends:
            if source == name and target in waiting:
                waiting[target] -= 1
                if waiting[target] == 0:
                    ready.append(target)
    return order + [n for n in names if n not in order]


def edges_of(order: Sequence[str], streams: Sequence[StreamPart]) -> list[Edge]:
    """Streams between rows; those that skip rows get the innermost free lane."""
    place = {name: i for i, name in enumerate(order)}
    edges, taken = [], []
    for stream in streams:
        a, b = place.get(end_of(stream.source, True)), place.get(end_of(stream.target, False))
        if a is None or b is None:
            continue
        lane = 0 if b - a == 1 and not _parallel(edges, a, b) else _free_lane(taken, a, b)
        edges.append(Edge(stream, a, b, lane))
    return edges


def _parallel(edges: Sequence[Edge], a: int, b: int) -> bool:
    return any((e.source, e.target) == (a, b) for e in edges)


def _free_lane(taken: list[tuple[int, int, int]], a: int, b: int) -> int:
    used = {lane for lane, start, end in taken if a < end and start < b}
    lane = next(n for n in range(1, len(used) + 2) if n not in used)
    taken.append((lane, a, b))
    return lane


def rows_of(
    order: Sequence[str], blocks: Sequence[BlockPart], edges: Sequence[Edge], columns: int
) -> list[Row]:
    """Rows with their column, top and height."""
    by_name = {b.name: b for b in blocks}
    heights = [_height(by_name.get(name)) for name in order]
    cuts = _cuts(heights, edges, columns)
    rows, column, y = [], 0, 0.0
    for i, name in enumerate(order):
        if i in cuts:
            column, y = column + 1, 0.0
        rows.append(Row(name, by_name.get(name), column, y, heights[i]))
        y += heights[i] + GAP
    return rows


def _cuts(heights: Sequence[float], edges: Sequence[Edge], columns: int) -> set[int]:
    """Rows that begin a column: those nearest to an even share, of those that one stream enters."""
    tops = [0.0, *accumulate(h + GAP for h in heights)]
    whole = [i for i in range(1, len(heights)) if sum(e.source < i <= e.target for e in edges) <= 1]
    if not whole:
        return set()
    shares = (tops[-1] * k / columns for k in range(1, columns))
    return {min(whole, key=lambda i: abs(tops[i] - share)) for share in shares}


def _height(block: BlockPart | None) -> float:
    return SMALL_HEIGHT if block is None or block.kind in PLUMBING else BLOCK_HEIGHT
