"""Folding for a target, or for the most frames per second that fit the board; with its proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import floor, inf

import msgspec
import numpy as np

from codesign.blocks.base import Fold
from codesign.board import Board
from codesign.cost.resources import Resources
from codesign.design import Design
from codesign.errors import BadInput
from codesign.graph.ir import IntGraph
from codesign.lowering import assemble
from codesign.search.exact import Cheapest, Decision, Exact
from codesign.search.joining import network_of
from codesign.search.network import Network
from codesign.search.options import vector
from codesign.search.proof import Proof

NOTHING = Resources()
Weights = Mapping[str, float]


@dataclass(frozen=True)
class FoldResult:
    """The folding found; `fits` says whether the board holds it.

    `interval_cycles` is that of the slowest block or of the host. `meets_target` is False when a
    target was given and not reached, `best_fps` then the most that fits (0 when nothing does).

    """

    folds: dict[str, Fold]
    design: Design
    fits: bool
    interval_cycles: int
    fps: float
    meets_target: bool
    best_fps: float
    proof: Proof

    @property
    def optimal(self) -> bool:
        """No folding that fits is faster than the best that was found."""
        return self.proof.optimal(self.best_fps)


def find_folds(
    graph: IntGraph,
    board: Board,
    target_fps: float | None = None,
    target_latency_s: float | None = None,
    reserve: Resources = NOTHING,
    minimise: Weights | None = None,
) -> FoldResult:
    """The fastest folding that fits, or the cheapest that reaches the targets; deterministic.

    Of equally fast ones the cheapest. `minimise` maps counts (lut, lutram, ff, dsp, memory kinds)
    to the cost of one; the default is the sum of all shares of the budget. Legal foldings only;
    LUT, LUTRAM, FF, DSP and memory budgets hold together, less `reserve` (for what is added later,
    like deeper FIFOs). What does not fit is a result with `fits` False: the design at the target,
    or the smallest design when there is no target. Raises BadInput for an unknown count.
    """
    search = FoldSearch(graph, board, reserve, minimise)
    if target_fps is None and target_latency_s is None:
        return search.fastest()
    return search.reaching(target_fps, target_latency_s)


def smallest_folds(graph: IntGraph, board: Board) -> FoldResult:
    """The cheapest folding at any speed; `fits` says whether the board holds it."""
    return FoldSearch(graph, board, NOTHING, None).smallest()


class FoldSearch:
    """Bisection over the distinct intervals of the network's options."""

    def __init__(
        self, graph: IntGraph, board: Board, reserve: Resources, minimise: Weights | None
    ) -> None:
        self.graph, self.board = graph, board
        self.network: Network = network_of(graph, board)
        kinds, budget = self.network.device.kinds, board.budget()
        self.exact = Exact(self.network, vector(budget, kinds) - vector(reserve, kinds))
        self.cost = _cost(minimise, kinds, vector(budget, kinds))
        least = max(int(o.intervals.min()) for o in self.network.options)
        every = np.unique(np.concatenate([o.intervals for o in self.network.options]))
        self.intervals = every[every >= least]
        self.decided: dict[int, Decision] = {}
        self.found: dict[int, Cheapest] = {}

    def fastest(self) -> FoldResult:
        """The fastest that fits and what the next faster one lacks, or the smallest at all."""
        index = self.fastest_index()
        if index is None:
            return self.smallest()
        found = self._fitting(index, True)
        lack = self.lack_within(int(self.intervals[index]) - 1)
        return replace(found, proof=msgspec.structs.replace(found.proof, **lack))

    def lack_within(self, interval_cycles: int) -> dict[str, object]:
        """What every folding within an interval lacks, as fields of a proof; nothing where none is
        legal."""
        index = self.index_within(interval_cycles)
        if index < 0:
            return {}
        return self._lack(index, *self.exact.lacking(int(self.intervals[index])))

    def smallest(self) -> FoldResult:
        """The choice that may be as slow as any option."""
        last = len(self.intervals) - 1
        return self._fitting(last, True) if self._fits(last) else self._lacking(last, True)

    def reaching(self, fps: float | None, latency_s: float | None) -> FoldResult:
        """The cheapest that reaches the targets; else what is nearest to them."""
        most_cycles = inf if fps is None else floor(self.board.clock_hz / fps * (1 + 1e-12))
        if latency_s is not None:
            from codesign.search.latency import LatencySearch

            return LatencySearch(self, most_cycles, latency_s).found()
        index = self.index_within(most_cycles)
        reached, index = index >= 0, max(index, 0)
        if reached and self._fits(index):
            return self._fitting(index, True)
        self.fastest_index()
        return self._fitting(index, False) if self._fits(index) else self._lacking(index, False)

    def index_within(self, most_cycles: float) -> int:
        """The slowest interval within `most_cycles`; -1 where none is."""
        return int(np.searchsorted(self.intervals, most_cycles, side="right")) - 1

    def _decision(self, index: int) -> Decision:
        """What is known of interval number `index` (0 is the fastest)."""
        if index not in self.decided:
            self.decided[index] = self.exact.decide(int(self.intervals[index]))
        return self.decided[index]

    def _fits(self, index: int) -> bool:
        return self._decision(index).answer == "yes"

    def cheapest(self, index: int) -> Cheapest:
        """The cheapest choice of an interval at which some choice fits."""
        if index not in self.found:
            interval, choice = int(self.intervals[index]), self._decision(index).choice
            self.found[index] = self.exact.cheapest(interval, choice, self.cost)
        return self.found[index]

    def as_fast_as(self, interval_cycles: int) -> FoldResult | None:
        """The fastest that fits; None where none known is within `interval_cycles`."""
        slowest = self.index_within(interval_cycles)
        index = None if slowest < 0 else self.fastest_index(slowest)
        return None if index is None else self._fitting(index, True)

    def fastest_index(self, slowest: int = -1) -> int | None:
        """Least index up to `slowest` that is known to fit; None when even that is not."""
        low, high = 0, range(len(self.intervals))[slowest]
        if not self._fits(high):
            return None
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self._fits(middle) else (middle + 1, high)
        return low

    def best_fps(self) -> float:
        """Of the fastest interval that is known to fit."""
        fitting = [i for i, d in self.decided.items() if d.answer == "yes"]
        return self._fps(min(fitting)) if fitting else 0.0

    def fps_bound(self) -> tuple[float, bool]:
        """Of the fastest interval that is not proven to be out of reach; True: of any at all."""
        refuted = [i for i, d in self.decided.items() if d.answer == "no"]
        index = max(refuted) + 1 if refuted else 0
        return self._fps(index) if index < len(self.intervals) else 0.0, index == 0

    def _fps(self, index: int) -> float:
        return self.board.clock_hz / int(self.intervals[index])

    def _fitting(self, index: int, reached: bool) -> FoldResult:
        return self.result(self.cheapest(index), reached)

    def result(self, found: Cheapest, reached: bool) -> FoldResult:
        """The design of a choice that fits."""
        design, facts = self._assembled(found.choice)
        return FoldResult(
            design=design,
            fits=True,
            meets_target=reached,
            best_fps=max(self.best_fps(), facts["fps"]),
            proof=Proof(*self.fps_bound(), found.cost, found.bound),
            **facts,
        )

    def _lacking(self, index: int, reached: bool) -> FoldResult:
        """The choice that lacks least, and what it lacks."""
        least = self.exact.least_excess(int(self.intervals[index]))
        design, facts = self._assembled(least.choice)
        return FoldResult(
            design=design,
            fits=False,
            meets_target=reached,
            best_fps=self.best_fps(),
            proof=Proof(*self.fps_bound(), **self._lack(index, least.excess, least.binding)),
            **facts,
        )

    def _lack(self, index: int, excess: float, binding: np.ndarray) -> dict[str, object]:
        """What every folding of this interval lacks, as fields of a proof."""
        shares = zip(self.network.device.kinds, binding.tolist(), strict=True)
        return {
            "refuted_fps": self._fps(index),
            "least_excess": max(0.0, excess),
            "binding": {kind: share for kind, share in shares if share > 1e-6},
        }

    def _assembled(self, choice: np.ndarray) -> tuple[Design, dict[str, object]]:
        folds = self.network.folds(choice)
        interval = self.network.interval_cycles(choice)
        facts = {"folds": folds, "interval_cycles": interval, "fps": self.board.clock_hz / interval}
        return self.design(choice), facts

    def design(self, choice: np.ndarray) -> Design:
        """The design of a choice, its streams as deep as full rate needs."""
        folds = self.network.folds(choice)
        return self.network.styled(assemble(self.graph, folds, self.board), choice)


def _cost(minimise: Weights | None, kinds: tuple[str, ...], budget: np.ndarray) -> np.ndarray:
    """Cost of one of each count."""
    if minimise is None:
        return 1.0 / np.where(budget > 0, budget, 1.0)
    unknown = sorted(set(minimise) - set(kinds))
    if unknown or not any(w > 0 for w in minimise.values()) or min(minimise.values()) < 0:
        raise BadInput(
            "what to minimise must give weights over 0 to some of the board's counts "
            f"{', '.join(kinds)}, not {dict(minimise)}",
            found=dict(minimise),
            known=list(kinds),
        )
    return np.array([float(minimise.get(kind, 0.0)) for kind in kinds])
