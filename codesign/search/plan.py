"""The plan of a network on a board: folding, FIFO depths, estimate and verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec

from codesign.board import Board
from codesign.cost.estimate import DesignEstimate, estimate
from codesign.cost.resources import Resources
from codesign.design import Design
from codesign.graph.ir import IntGraph
from codesign.search.advice import boards_that_hold, widths_that_fit
from codesign.search.fifo import size_fifos
from codesign.search.folding import NOTHING, FoldResult, Weights, find_folds
from codesign.search.padding import Padded
from codesign.search.proof import Proof
from codesign.sim.simulate import simulate

# Rounds of folding again with room for the FIFOs that the round before needed.
RESERVE_ROUNDS = 4
# Then slower foldings, each at this share of the frame rate before.
SLOWER_ROUNDS = 8
SLOWER = 0.7


@dataclass(frozen=True)
class Plan:
    """A design with its estimate; `estimate.verdict.fits` False is a result, not an error.

    `meets_target` is False when a target was given that the design misses or that does not fit;
    `best_fps` is then the most frames per second that fit (0: nothing does). `proof` holds what the
    search has proven, None for a design that was not searched; `targeted` says for a target.
    `padded` is the choice among paddings of channel counts where these were asked for.
    """

    design: Design
    estimate: DesignEstimate
    meets_target: bool = True
    best_fps: float | None = None
    proof: Proof | None = None
    targeted: bool = False
    padded: Padded | None = None

    def network(self, graph: IntGraph) -> IntGraph:
        """What the design computes: `graph`, or the same with padded channels and their parameters."""
        return self.padded.graph if self.padded else graph

    @property
    def proven(self) -> str:
        """In words what is proven of this design; empty where nothing is."""
        if self.proof is None:
            return ""
        if not self.fits:
            return self.proof.refutation(self.targeted)
        if not self.meets_target:
            return self.proof.missed(self.estimate.fps)
        return self.proof.sentence(self.estimate.fps, self.targeted)

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
    minimise: Weights | None = None,
) -> Plan:
    """Fold `graph` for `board`, size its FIFOs by exact simulation, estimate and judge it.

    The cheapest design that reaches the targets, or the fastest that fits; what cheap means can be
    said with `minimise`, see `codesign.search.folding.find_folds`. Every design that fits has been
    simulated: no deadlock, and the interval of its slowest block. With `advise` the verdict of one
    that does not fit names lower targets, widths and boards that would do; each of them is a search
    of its own.
    """
    found = _Planner(graph, board, target_fps, target_latency_s, minimise).found()
    if found.fits:
        return found
    found = replace(found, meets_target=False)
    return _advised(found, graph, board, target_fps, target_latency_s) if advise else found


class _Planner:
    """One network, board and target; without what only further searches can advise."""

    def __init__(
        self,
        graph: IntGraph,
        board: Board,
        target_fps: float | None,
        target_latency_s: float | None,
        minimise: Weights | None,
    ) -> None:
        self.graph, self.board, self.minimise = graph, board, minimise
        self.target_fps, self.target_latency_s = target_fps, target_latency_s
        self.first = self._folded(target_fps)

    def found(self) -> Plan:
        """The best folding whose FIFOs fit as well."""
        if not self.first.fits:
            return self._plan(self.first, self.first.design)
        tried = self._sized(self.first)
        if not tried.fits:
            tried = self._with_reserve(tried)
        if not tried.fits and self.target_fps is None:
            tried = self._slower(tried)
        return tried

    def _folded(self, fps: float | None, reserve: Resources = NOTHING) -> FoldResult:
        targets = fps, self.target_latency_s
        return find_folds(self.graph, self.board, *targets, reserve, self.minimise)

    def _sized(self, found: FoldResult) -> Plan:
        """The folding with FIFOs that keep its interval, and its latency where that is asked for."""
        full_rate = self.target_latency_s is not None
        return self._plan(found, size_fifos(found.design, self.board, full_rate))

    def _plan(self, found: FoldResult, design: Design) -> Plan:
        """What holds for every folding was proven by the first search, in the whole budget."""
        latency_s = self._latency_s(found, design)
        proof = msgspec.structs.replace(
            self.first.proof, cost=found.proof.cost, latency_s=latency_s
        )
        return Plan(
            design,
            estimate(design, self.board),
            meets_target=found.meets_target and latency_s <= (self.target_latency_s or 0.0),
            best_fps=found.best_fps,
            proof=proof,
            targeted=self.target_fps is not None or self.target_latency_s is not None,
        )

    def _latency_s(self, found: FoldResult, design: Design) -> float:
        """Simulated with its FIFOs where a latency was asked for; else 0."""
        if self.target_latency_s is None or not found.fits:
            return 0.0
        return simulate(design, self.board).latency_cycles / design.clock_hz

    def _with_reserve(self, tried: Plan) -> Plan:
        """Fold again in a budget that leaves what the FIFOs took; the first plan that fits."""
        reserve, found = NOTHING, self.first
        for _ in range(RESERVE_ROUNDS):
            reserve = _with_room(reserve, tried.estimate, estimate(found.design, self.board))
            found = self._folded(self.target_fps, reserve)
            if not found.fits:
                break
            tried = self._sized(found)
            if tried.fits:
                break
        return tried

    def _slower(self, tried: Plan) -> Plan:
        """The cheapest foldings for lower and lower rates; the first plan that fits."""
        fps = self.first.fps
        for _ in range(SLOWER_ROUNDS):
            fps *= SLOWER
            found = self._folded(fps)
            if found.fits and found.meets_target:
                tried = self._sized(found)
            if tried.fits:
                break
        return tried


def _with_room(reserve: Resources, sized: DesignEstimate, bare: DesignEstimate) -> Resources:
    """At least what sizing added to each count, and more each time it was too little."""
    added = {k: n - bare.total.flat().get(k, 0) for k, n in sized.total.flat().items()}
    kept = {k: max(0.0, n) + reserve.flat().get(k, 0) / 2 for k, n in added.items()}
    counts = {k: kept.pop(k) for k in ("lut", "lutram", "ff", "dsp")}
    return Resources(**counts, ram=kept)


def _advised(
    tried: Plan,
    graph: IntGraph,
    board: Board,
    target_fps: float | None,
    target_latency_s: float | None,
) -> Plan:
    """Levers that only a search knows come first: a lower target, narrower widths."""
    verdict, best_fps = tried.estimate.verdict, tried.best_fps
    targets: tuple[str, ...] = ()
    if target_fps is not None:
        best = plan(graph, board, None, target_latency_s, advise=False)
        best_fps = best.estimate.fps if best.fits else 0.0
        targets = (f"a target of at most {best_fps:,.0f} frames/s fits",) if best.fits else ()
    widths = widths_that_fit(graph, board, target_fps, target_latency_s)
    named = any(lever.startswith("board ") for lever in verdict.levers)
    boards = () if named else boards_that_hold(graph, board, target_fps, target_latency_s)
    verdict = msgspec.structs.replace(verdict, levers=(*targets, *widths, *verdict.levers, *boards))
    result = msgspec.structs.replace(tried.estimate, verdict=verdict)
    return replace(tried, estimate=result, best_fps=best_fps)
