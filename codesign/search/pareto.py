"""The front of frames per second, LUTs and block RAMs: what each of them costs in the others.

Every point is exact: at its rate and with its block RAMs no folding within the budget takes fewer LUTs.
The front is sampled at some rates and, for each, at some numbers of block RAMs between the fewest that
are possible and those of the folding with the fewest LUTs.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from codesign.blocks.base import Fold
from codesign.board import Board
from codesign.cost.family import load_family
from codesign.graph.ir import IntGraph
from codesign.search.exact import Cheapest, Exact
from codesign.search.folding import NOTHING, FoldSearch

# Among foldings with equal LUTs the one with fewer block RAMs, and the other way round.
SECOND = 1e-4
EQUAL = 1e-6


class Point(msgspec.Struct, frozen=True):
    """A folding on the front; no folding as fast with `ram` block RAMs has fewer than `lut_bound`
    LUTs. `counts` holds all counts."""

    fps: float
    interval_cycles: int
    lut: float
    ram: float
    lut_bound: float
    counts: dict[str, float]
    folds: dict[str, Fold]

    @property
    def proven(self) -> bool:
        """Whether fewer LUTs are impossible."""
        return self.lut - self.lut_bound <= max(1.0, 1e-3 * self.lut)


def pareto(graph: IntGraph, board: Board, rates: int = 6, memories: int = 4) -> tuple[Point, ...]:
    """Points of the front of `graph` within the budget of `board`, the fastest first.

    At most `rates` frame rates, from the fastest that fits to the slowest, and `memories` numbers of
    block RAMs for each. Empty where nothing fits.
    """
    return _Front(graph, board).points(rates, memories)


class _Front:
    """Questions at one rate after another."""

    def __init__(self, graph: IntGraph, board: Board) -> None:
        self.board = board
        self.search = FoldSearch(graph, board, NOTHING, None)
        self.kinds = self.search.network.device.kinds
        self.ram = self.kinds.index(load_family(board.family).block_ram)
        self.lut = self.kinds.index("lut")

    def points(self, rates: int, memories: int) -> tuple[Point, ...]:
        """The points that no other dominates."""
        fastest = self.search.fastest_index()
        if fastest is None:
            return ()
        steps = np.geomspace(1, len(self.search.intervals) - fastest, rates).round().astype(int)
        found = [
            point
            for step in dict.fromkeys(steps.tolist())
            for point in self._at(int(self.search.intervals[fastest + step - 1]), memories)
        ]
        front = [p for p in found if not any(_dominates(q, p) for q in found)]
        distinct = {(p.interval_cycles, round(p.lut, 3), round(p.ram, 3)): p for p in front}
        return tuple(sorted(distinct.values(), key=lambda p: (-p.fps, p.lut)))

    def _at(self, interval: int, memories: int) -> Iterator[Point]:
        """Points of one rate: the fewest LUTs, with fewer and fewer block RAMs."""
        first = self._least(interval, self.search.exact.limit, self.lut, self.ram)
        least = self._least(interval, self.search.exact.limit, self.ram, self.lut)
        if first is None or least is None:
            return
        most, fewest = (self._counts(c)[self.ram] for c in (first, least))
        yield self._point(first)
        for ram in np.unique(np.linspace(fewest, most, memories).round())[:-1]:
            limit = self.search.exact.limit.copy()
            limit[self.ram] = ram
            found = self._least(interval, limit, self.lut, self.ram)
            if found is not None:
                yield self._point(found)

    def _least(self, interval: int, limit: np.ndarray, kind: int, second: int) -> Cheapest | None:
        """The folding with the least of `kind`, and then of `second`."""
        exact = Exact(self.search.network, limit)
        decided = exact.decide(interval)
        if decided.choice is None:
            return None
        cost = np.zeros(len(self.kinds))
        cost[kind], cost[second] = 1.0, SECOND
        return exact.cheapest(interval, decided.choice, cost)

    def _counts(self, found: Cheapest) -> np.ndarray:
        return self.search.network.counts(found.choice)

    def _point(self, found: Cheapest) -> Point:
        counts = self._counts(found)
        interval = self.search.network.interval_cycles(found.choice)
        return Point(
            fps=self.board.clock_hz / interval,
            interval_cycles=interval,
            lut=float(counts[self.lut]),
            ram=float(counts[self.ram]),
            lut_bound=found.bound - SECOND * float(counts[self.ram]),
            counts=dict(zip(self.kinds, counts.tolist(), strict=True)),
            folds=self.search.network.folds(found.choice),
        )


def _dominates(a: Point, b: Point) -> bool:
    """Whether `a` is as good as `b` in everything and better in something."""
    as_good = a.fps >= b.fps and a.lut <= b.lut + EQUAL and a.ram <= b.ram + EQUAL
    better = a.fps > b.fps or a.lut < b.lut - EQUAL or a.ram < b.ram - EQUAL
    return as_good and better
