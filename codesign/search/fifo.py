"""FIFO depths that keep the interval of the slowest block, proven by exact simulation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

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
# Depths up to this many tokens cost next to nothing: they are not tried one by one.
SMALL_TOKENS = 32
# Simulations spent on shrinking; what is left then stays at its safe depth.
MOST_TRIALS = 12


def size_fifos(design: Design, board: Board) -> Design:
    """`design` with depths and styles that keep the interval of its slowest block or of the host.

    Depths of full rate are kept where they do. Else every stream gets the tokens it holds in an
    unhindered schedule, which is safe; then those that do not need them shrink again, in groups and
    one by one. The result is simulated to its steady state: it never deadlocks. Raises
    InvariantBroken when the machine stops even with FIFOs that are never full.
    """
    interval, _ = interval_of(design, board)
    tokens = {s.name: s.depth - STYLE_LATENCY_CYCLES[s.style] for s in design.streams}
    plain = _with(design, {name: ("register", depth) for name, depth in tokens.items()})
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
    depths, trials = dict(safe), 0

    def take(changes: dict[str, int]) -> bool:
        nonlocal trials
        trials += 1
        holds = trials <= MOST_TRIALS and oracle.sustains(depths | changes)
        depths.update(changes if holds else {})
        return holds

    if take(least):
        return depths
    large = sorted((n for n in safe if safe[n] > SMALL_TOKENS), key=lambda n: (-safe[n], n))
    for name in _refused(large, lambda group: take({n: least[n] for n in group})):
        # Powers of two are the steps at which memories get larger.
        level = 1 << (depths[name] - 1).bit_length() - 1
        while level > least[name] and take({name: level}):
            level //= 2
    return depths


def _refused(names: list[str], take: Callable[[list[str]], bool]) -> Iterator[str]:
    """Offer all names to `take`, then halves of what it refuses; yield those refused alone."""
    groups = [names] if names else []
    while groups:
        group = groups.pop(0)
        if take(group):
            continue
        if len(group) == 1:
            yield group[0]
        else:
            half = len(group) // 2
            groups += [group[:half], group[half:]]


def _styled(design: Design, board: Board, tokens: dict[str, int], interval: int) -> Design:
    """The cheapest style of each stream against what the blocks leave of the board.

    Block RAM adds a cycle; it is taken where the interval still holds.
    """
    bare = estimate(design, board)
    price = prices(bare.budget + bare.total.scaled(-1), bare.budget)

    def cheapest(stream: Stream, most_latency: int) -> tuple[str, int]:
        return cheapest_style(board.family, tokens[stream.name], stream.bits, price, most_latency)

    picked = {s.name: cheapest(s, 0) for s in design.streams}
    slower = {s.name: cheapest(s, max(STYLE_LATENCY_CYCLES.values())) for s in design.streams}

    def take(group: list[str]) -> bool:
        trial = picked | {name: slower[name] for name in group}
        if not Oracle(_with(design, trial), board, interval).sustains():
            return False
        picked.update(trial)
        return True

    for _ in _refused([n for n in picked if slower[n] != picked[n]], take):
        pass
    return _with(design, picked)


def _with(design: Design, fifos: Mapping[str, tuple[str, int]]) -> Design:
    """`design` with (style, depth) of each stream."""

    def sized(stream: Stream) -> Stream:
        style, depth = fifos[stream.name]
        return msgspec.structs.replace(stream, style=style, depth=depth)

    return msgspec.structs.replace(design, streams=tuple(map(sized, design.streams)))
