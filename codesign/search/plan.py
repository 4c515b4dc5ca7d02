"""The plan of a network on a board: folding, FIFO depths, estimate and verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from codesign.board import Board
from codesign.cost.estimate import DesignEstimate, estimate
from codesign.cost.resources import Resources
from codesign.design import Design
from codesign.graph.ir import IntGraph
from codesign.search.fifo import size_fifos
from codesign.search.folding import FoldResult, find_folds
from codesign.search.layers import uniform
from codesign.search.retyping import weight_bits_of

# Rounds of folding again with room for the FIFOs that the round before needed.
RESERVE_ROUNDS = 4


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
) -> Plan:
    """Fold `graph` for `board`, size its FIFOs by exact simulation, estimate and judge it.

    The cheapest design that reaches the targets, or the fastest that fits. Every design that fits
    has been simulated: no deadlock, and the interval of its slowest block.
    """
    reserve = Resources()
    for _ in range(RESERVE_ROUNDS):
        found = find_folds(graph, board, target_fps, target_latency_s, reserve)
        if not found.fits:
            break
        design = size_fifos(found.design, board)
        result = estimate(design, board)
        if result.verdict.fits:
            return Plan(design, result, found.meets_target, found.best_fps)
        reserve = _with_room(reserve, result, estimate(found.design, board))
    design = found.design if not found.fits else design
    result = estimate(design, board)
    if not result.verdict.fits:
        help_ = (*_targets(found), *_widths(graph, board, target_fps, target_latency_s))
        result = _with_levers(result, help_)
    return Plan(design, result, found.meets_target and found.fits, found.best_fps)


def _with_room(reserve: Resources, sized: DesignEstimate, bare: DesignEstimate) -> Resources:
    """At least what sizing added to each count, and more each time it was too little."""
    added = {k: n - bare.total.flat().get(k, 0) for k, n in sized.total.flat().items()}
    kept = {k: max(0.0, n) + reserve.flat().get(k, 0) / 2 for k, n in added.items()}
    counts = {k: kept.pop(k) for k in ("lut", "lutram", "ff", "dsp")}
    return Resources(**counts, ram=kept)


def _targets(found: FoldResult) -> Iterator[str]:
    """The target that would fit."""
    if found.best_fps:
        yield f"a target of at most {found.best_fps:,.0f} frames/s fits"


def _widths(
    graph: IntGraph, board: Board, target_fps: float | None, target_latency_s: float | None
) -> Iterator[str]:
    """The widest uniform bits that fit, by bisection."""
    present = max((*weight_bits_of(graph).values(), 1))
    fitting: dict[int, FoldResult] = {}
    low, high = 0, present - 1
    while low < high:
        bits = (low + high + 1) // 2
        found = find_folds(uniform(graph, bits), board, target_fps, target_latency_s)
        if found.fits and found.meets_target:
            fitting[bits] = found
            low = bits
        else:
            high = bits - 1
    if low in fitting:
        yield (
            f"weights and inner activations at {low} bit{'s' if low > 1 else ''} fit "
            f"({fitting[low].fps:,.0f} frames/s)"
        )


def _with_levers(result: DesignEstimate, more: tuple[str, ...]) -> DesignEstimate:
    """Levers that only the search knows come first."""
    verdict = result.verdict
    verdict = msgspec.structs.replace(verdict, levers=(*more, *verdict.levers))
    return msgspec.structs.replace(result, verdict=verdict)
