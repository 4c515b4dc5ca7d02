"""The plan of a network on a board: folding, FIFO depths, estimate and verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from codesign.board import Board, all_boards
from codesign.cost.estimate import DesignEstimate, estimate
from codesign.cost.resources import Resources
from codesign.design import Design
from codesign.graph.ir import IntGraph
from codesign.search.fifo import size_fifos
from codesign.search.folding import FoldResult, find_folds, smallest_folds
from codesign.search.layers import uniform
from codesign.search.retyping import weight_bits_of

# Rounds of folding again with room for the FIFOs that the round before needed.
RESERVE_ROUNDS = 4
# Then slower foldings, each at this share of the frame rate before.
SLOWER_ROUNDS = 8
SLOWER = 0.7


@dataclass(frozen=True)
class Plan:
    """A design with its estimate; `estimate.verdict.fits` False is a result, not an error.

    `meets_target` is False when a target was given that the design misses or that does not fit;
    `best_fps` is then the most frames per second that fit (0: nothing does).
    """

    design: Design
    estimate: DesignEstimate
    meets_target: bool = True
    best_fps: float | None = None

    @property
    def fits(self) -> bool:
        """Whether the board's budget holds the design."""
        return self.estimate.verdict.fits


def plan(
    graph: IntGraph,
    board: Board,
    target_fps: float | None = None,
    target_latency_s: float | None = None,
    advise: bool = True,
) -> Plan:
    """Fold `graph` for `board`, size its FIFOs by exact simulation, estimate and judge it.

    The cheapest design that reaches the targets, or the fastest that fits. Every design that fits
    has been simulated: no deadlock, and the interval of its slowest block. With `advise` the
    verdict of one that does not fit names lower targets, widths and boards that would do; each of
    them is a search of its own.
    """
    found = _found(graph, board, target_fps, target_latency_s)
    if found.fits:
        return found
    if not advise:
        return replace(found, meets_target=False)
    return _with_levers(found, graph, board, target_fps, target_latency_s)


def _found(
    graph: IntGraph, board: Board, target_fps: float | None, target_latency_s: float | None
) -> Plan:
    """The plan without what only a further search can advise."""
    first = find_folds(graph, board, target_fps, target_latency_s)
    if not first.fits:
        return Plan(first.design, estimate(first.design, board), False, first.best_fps)
    tried = _sized(first, board)
    if not tried.fits:
        tried = _with_reserve(tried, first, graph, board, (target_fps, target_latency_s))
    if not tried.fits and target_fps is None:
        tried = _slower(tried, first.fps, graph, board, target_latency_s)
    return tried


def _sized(found: FoldResult, board: Board) -> Plan:
    """The folding with FIFOs that keep its interval."""
    design = size_fifos(found.design, board)
    return Plan(design, estimate(design, board), found.meets_target, found.best_fps)


def _with_reserve(
    tried: Plan,
    found: FoldResult,
    graph: IntGraph,
    board: Board,
    targets: tuple[float | None, float | None],
) -> Plan:
    """Fold again in a budget that leaves what the FIFOs took; the first plan that fits."""
    reserve = Resources()
    for _ in range(RESERVE_ROUNDS):
        reserve = _with_room(reserve, tried.estimate, estimate(found.design, board))
        found = find_folds(graph, board, *targets, reserve)
        if not found.fits:
            break
        tried = _sized(found, board)
        if tried.fits:
            break
    return tried


def _slower(
    tried: Plan, fps: float, graph: IntGraph, board: Board, latency_s: float | None
) -> Plan:
    """The cheapest foldings for lower and lower rates; the first plan that fits."""
    for _ in range(SLOWER_ROUNDS):
        fps *= SLOWER
        found = find_folds(graph, board, fps, latency_s)
        if found.fits and found.meets_target:
            tried = _sized(found, board)
        if tried.fits:
            break
    return tried


def _with_room(reserve: Resources, sized: DesignEstimate, bare: DesignEstimate) -> Resources:
    """At least what sizing added to each count, and more each time it was too little."""
    added = {k: n - bare.total.flat().get(k, 0) for k, n in sized.total.flat().items()}
    kept = {k: max(0.0, n) + reserve.flat().get(k, 0) / 2 for k, n in added.items()}
    counts = {k: kept.pop(k) for k in ("lut", "lutram", "ff", "dsp")}
    return Resources(**counts, ram=kept)


def _with_levers(
    tried: Plan,
    graph: IntGraph,
    board: Board,
    target_fps: float | None,
    target_latency_s: float | None,
) -> Plan:
    """Levers that only the search knows come first: a lower target, narrower widths."""
    verdict, best_fps = tried.estimate.verdict, tried.best_fps
    targets: tuple[str, ...] = ()
    if target_fps is not None:
        best = plan(graph, board, None, target_latency_s, advise=False)
        best_fps = best.estimate.fps if best.fits else 0.0
        targets = (f"a target of at most {best_fps:,.0f} frames/s fits",) if best.fits else ()
    widths = _widths(graph, board, target_fps, target_latency_s)
    named = any(lever.startswith("board ") for lever in verdict.levers)
    boards = () if named else _boards(graph, board, target_fps, target_latency_s)
    verdict = msgspec.structs.replace(verdict, levers=(*targets, *widths, *verdict.levers, *boards))
    result = msgspec.structs.replace(tried.estimate, verdict=verdict)
    return replace(tried, estimate=result, meets_target=False, best_fps=best_fps)


def _widths(
    graph: IntGraph, board: Board, target_fps: float | None, target_latency_s: float | None
) -> Iterator[str]:
    """The widest uniform bits that fit: by bisection over foldings, then with FIFOs."""
    targets = target_fps, target_latency_s
    low, high = 0, max((*weight_bits_of(graph).values(), 1)) - 1
    while low < high:
        bits = (low + high + 1) // 2
        found = find_folds(uniform(graph, bits), board, *targets)
        low, high = (bits, high) if found.fits and found.meets_target else (low, bits - 1)
    for bits in range(low, 0, -1):
        tried = _sized(find_folds(uniform(graph, bits), board, *targets), board)
        if tried.fits:
            width = f"{bits} bit{'s' if bits > 1 else ''}"
            fps = f"{tried.estimate.fps:,.0f} frames/s"
            yield f"weights and inner activations at {width} fit ({fps})"
            return
    yield "narrower weights and activations alone are not enough"


def _boards(
    graph: IntGraph, board: Board, target_fps: float | None, target_latency_s: float | None
) -> Iterator[str]:
    """The smallest known board, of any family, that holds the network folded for it."""
    others = (b for b in all_boards() if b.name != board.name)
    for other in sorted(others, key=lambda b: (b.budget().lut, b.name)):
        if target_fps is None and target_latency_s is None:
            found = smallest_folds(graph, other)
        else:
            found = find_folds(graph, other, target_fps, target_latency_s)
        if found.fits and found.meets_target and _sized(found, other).fits:
            fps = other.clock_hz / found.interval_cycles
            yield f"board {other.name} holds it, folded anew ({fps:,.2f} frames/s or more)"
            return
    yield "none of the known boards holds it"
