"""Folding for a target, or for the most frames per second that fit the board."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import floor

import numpy as np

from codesign.blocks.base import Fold
from codesign.board import Board
from codesign.cost.resources import Resources
from codesign.design import Design
from codesign.graph.ir import IntGraph
from codesign.lowering import assemble
from codesign.search.choose import Choice, choose
from codesign.search.network import Network, network_of
from codesign.search.options import vector

# Faster intervals tried after bisection, since the choice at each is found by a heuristic.
FASTER_TRIES = 3
NOTHING = Resources()


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


def find_folds(
    graph: IntGraph,
    board: Board,
    target_fps: float | None = None,
    target_latency_s: float | None = None,
    reserve: Resources = NOTHING,
) -> FoldResult:
    """The cheapest folding that reaches the targets, or the fastest that fits; deterministic.

    Legal foldings only; LUT, LUTRAM, FF, DSP and memory budgets hold together, less `reserve` (for
    what is added later, like deeper FIFOs). What does not fit is a result with `fits` False: the
    design at the target, or the smallest design when there is no target.
    """
    search = _Search(graph, board, network_of(graph, board), reserve)
    if target_fps is None and target_latency_s is None:
        return search.fastest()
    return search.reaching(target_fps, target_latency_s)


def smallest_folds(graph: IntGraph, board: Board) -> FoldResult:
    """The smallest folding found at any speed; `fits` says whether the board holds it."""
    return _Search(graph, board, network_of(graph, board), NOTHING).smallest()


class _Search:
    """Bisection over the distinct intervals of the network's options."""

    def __init__(self, graph: IntGraph, board: Board, network: Network, reserve: Resources) -> None:
        self.graph, self.board, self.network = graph, board, network
        self.limit = vector(board.budget(), network.device.kinds) - vector(
            reserve, network.device.kinds
        )
        least = max(int(o.intervals.min()) for o in network.options)
        every = np.unique(np.concatenate([o.intervals for o in network.options]))
        self.intervals = every[every >= least]
        self.known: dict[int, Choice] = {}

    def at(self, index: int) -> Choice:
        """The choice for the interval number `index` (0 is the fastest)."""
        if index not in self.known:
            self.known[index] = choose(self.network, self.limit, int(self.intervals[index]))
        return self.known[index]

    def fastest(self) -> FoldResult:
        """The fastest that fits, or the smallest at all."""
        index = self._fastest_index(lambda i: self.at(i).fits)
        return self.smallest() if index is None else self._result(index, True, self._fps(index))

    def smallest(self) -> FoldResult:
        """The choice that may be as slow as any option."""
        last = len(self.intervals) - 1
        return self._result(last, True, self._fps(last) if self.at(last).fits else 0.0)

    def reaching(self, fps: float | None, latency_s: float | None) -> FoldResult:
        """The cheapest that reaches the targets."""
        most_cycles = np.inf if fps is None else floor(self.board.clock_hz / fps * (1 + 1e-12))
        index = int(np.searchsorted(self.intervals, most_cycles, side="right")) - 1
        reached = index >= 0
        if latency_s is not None and reached:
            index, reached = self._within_latency(index, latency_s)
        index = max(index, 0)
        if reached and self.at(index).fits:
            return self._result(index, True, self._fps(index))
        fastest = self._fastest_index(lambda i: self.at(i).fits)
        best = 0.0 if fastest is None else self._fps(fastest)
        return self._result(index, False, best)

    def _within_latency(self, slowest: int, latency_s: float) -> tuple[int, bool]:
        """The slowest index up to `slowest` whose simulated latency is short enough."""
        from codesign.sim.simulate import simulate

        def short(index: int) -> bool:
            design = assemble(self.graph, self.network.folds(self.at(index).picked), self.board)
            return simulate(design, self.board).latency_cycles <= latency_s * design.clock_hz

        low, high = 0, slowest
        if not short(0):
            return 0, False
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if short(middle) else (low, middle - 1)
        return low, True

    def _fastest_index(self, fits: Callable[[int], bool]) -> int | None:
        """Least index that fits, by bisection; then a few faster ones, as heuristics do not rise
        evenly. None when even the slowest does not fit."""
        low, high = 0, len(self.intervals) - 1
        if not fits(high):
            return None
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if fits(middle) else (middle + 1, high)
        tries = range(max(0, low - FASTER_TRIES), low)
        return next((i for i in tries if fits(i)), low)

    def _fps(self, index: int) -> float:
        return self.board.clock_hz / self.network.interval_cycles(self.at(index).picked)

    def _result(self, index: int, reached: bool, best_fps: float) -> FoldResult:
        choice = self.at(index)
        folds = self.network.folds(choice.picked)
        interval = self.network.interval_cycles(choice.picked)
        return FoldResult(
            folds=folds,
            design=assemble(self.graph, folds, self.board),
            fits=choice.fits,
            interval_cycles=interval,
            fps=self.board.clock_hz / interval,
            meets_target=reached,
            best_fps=best_fps,
        )
