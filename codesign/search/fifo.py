"""FIFO depths that keep the interval of the slowest block, proven by exact simulation."""

from __future__ import annotations

import msgspec

from codesign.board import Board
from codesign.cost.estimate import estimate, interval_of
from codesign.cost.fifo import cheapest_style, prices
from codesign.design import STYLE_LATENCY_CYCLES, Design, Stream
from codesign.errors import InvariantBroken
from codesign.search.oracle import Oracle

# Frames of tokens that a FIFO may hold while occupancies are measured: skew between the branches
# of a residual connection stays below one frame, a frame more lets the steady state settle.
FRAMES_DEEP = 2


def size_fifos(design: Design, board: Board) -> Design:
    """`design` with depths and styles that keep the interval of its slowest block or of the host.

    Depths of full rate are kept where they do. Else every stream gets the tokens it holds in an
    unhindered schedule, which is safe; then those that do not need them shrink again, in groups and
    one by one. The result is simulated to its steady state: it never deadlocks. Raises
    InvariantBroken when the machine stops even with FIFOs that are never full.
    """
    interval, _ = interval_of(design, board)
    tokens = {s.name: s.depth - STYLE_LATENCY_CYCLES[s.style] for s in design.streams}
    plain = _with_depths(design, tokens, {s.name: "register" for s in design.streams})
    oracle = Oracle(plain, board, interval)
    if not oracle.sustains(tokens):
        tokens = _shrunk(oracle, tokens, _safe(oracle, plain, tokens))
    return _styled(plain, board, tokens, interval)


def _safe(oracle: Oracle, design: Design, least: dict[str, int]) -> dict[str, int]:
    """Depths at which nothing waits for space."""
    held = oracle.occupancy(tuple(least), FRAMES_DEEP)
    if held is None:
        raise InvariantBroken(
            f"design {design.name}: no depth of its FIFOs keeps it running; a block's program "
            "reads and writes in an order that its neighbours cannot follow",
            design=design.name,
        )
    return {name: max(tokens, held[name]) for name, tokens in least.items()}


def _shrunk(oracle: Oracle, least: dict[str, int], safe: dict[str, int]) -> dict[str, int]:
    """Reduce `safe` towards `least` while the interval holds; most tokens first."""
    if not oracle.sustains(safe):
        return safe
    depths = dict(safe)
    grown = sorted((n for n in safe if safe[n] > least[n]), key=lambda n: (least[n] - safe[n], n))
    groups = [grown]
    while groups:
        group = groups.pop(0)
        trial = depths | {name: least[name] for name in group}
        if oracle.sustains(trial):
            depths = trial
        elif len(group) > 1:
            half = len(group) // 2
            groups += [group[:half], group[half:]]
        else:
            depths[group[0]] = _least_depth(oracle, depths, group[0], least[group[0]])
    return depths


def _least_depth(oracle: Oracle, depths: dict[str, int], name: str, low: int) -> int:
    """Least depth of one stream that sustains with the others as they are, above `low`.

    Among powers of two, the steps at which memories get larger, and the safe depth itself.
    """
    high = depths[name]
    levels = [1 << k for k in range(high.bit_length()) if low < 1 << k < high] + [high]
    first, last = 0, len(levels) - 1
    while first < last:
        middle = (first + last) // 2
        if oracle.sustains(depths | {name: levels[middle]}):
            last = middle
        else:
            first = middle + 1
    return levels[last]


def _styled(design: Design, board: Board, tokens: dict[str, int], interval: int) -> Design:
    """The cheapest style of each stream against what the blocks leave of the board.

    Block RAM adds a cycle, which is tried, and left out again if the interval does not hold.
    """
    bare = estimate(design, board)
    left = bare.budget + bare.total.scaled(-1)
    price = prices(left, bare.budget)
    for most_latency in sorted({*STYLE_LATENCY_CYCLES.values()}, reverse=True):
        picked = {
            s.name: cheapest_style(board.family, tokens[s.name], s.bits, price, most_latency)
            for s in design.streams
        }
        styles = {name: style for name, (style, _) in picked.items()}
        sized = _with_depths(design, {name: depth for name, (_, depth) in picked.items()}, styles)
        if Oracle(sized, board, interval).sustains():
            break
    return sized


def _with_depths(design: Design, depths: dict[str, int], styles: dict[str, str]) -> Design:
    def sized(stream: Stream) -> Stream:
        return msgspec.structs.replace(stream, depth=depths[stream.name], style=styles[stream.name])

    return msgspec.structs.replace(design, streams=tuple(map(sized, design.streams)))
