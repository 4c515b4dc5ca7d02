"""The plan of a network on a board: folding, FIFO depths, estimate and verdict."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from codesign.board import Board
from codesign.cost.estimate import DesignEstimate, estimate
from codesign.cost.resources import Resources
from codesign.design import Design
from codesign.graph.ir import IntGraph
from codesign.search.fifo import size_fifos
from codesign.search.folding import FoldResult, find_folds

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
    result = _with_levers(estimate(design, board), found, target_fps, target_latency_s)
    return Plan(design, result, found.meets_target and found.fits, found.best_fps)


def _with_room(reserve: Resources, sized: DesignEstimate, bare: DesignEstimate) -> Resources:
    """At least what sizing added to each count, and more each time it was too little."""
    added = {k: n - bare.total.flat().get(k, 0) for k, n in sized.total.flat().items()}
    kept = {k: max(0.0, n) + reserve.flat().get(k, 0) / 2 for k, n in added.items()}
    counts = {k: kept.pop(k) for k in ("lut", "lutram", "ff", "dsp")}
    return Resources(**counts, ram=kept)


def _with_levers(
    result: DesignEstimate,
    found: FoldResult,
    target_fps: float | None,
    target_latency_s: float | None,
) -> DesignEstimate:
    """Add the lever that only the search knows: the target that would fit."""
    verdict = result.verdict
    if (target_fps is None and target_latency_s is None) or verdict.fits or not found.best_fps:
        return result
    lever = f"a target of at most {found.best_fps:,.0f} frames/s fits"
    verdict = msgspec.structs.replace(verdict, levers=(lever, *verdict.levers))
    return msgspec.structs.replace(result, verdict=verdict)
