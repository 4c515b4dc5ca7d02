"""A greedy folding in the spirit of FINN's SetFolding, as a baseline to compare the search with.

For a target of cycles per frame each layer on its own raises SIMD, then PE, until it is fast enough
(FINN, transformation/fpgadataflow/set_folding.py; its limit on the width of a weight word, which only
takes choices away, is left out). The budget plays no part in that. Foldings, multipliers, memories,
cost model and budget are those of the search; where multipliers and memories go is decided layer by
layer, by the cheaper one under each of a few policies, of which the first is shares of the budget.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.board import Board
from codesign.graph.ir import IntGraph
from codesign.search.joining import network_of
from codesign.search.network import Network
from codesign.search.options import Options, vector

# Targets over the whole range, then as many between the best that fits and the next that does not.
TARGETS = 64
# A policy makes some counts dearer than their share of the budget: none, LUTs, memories, DSPs.
POLICIES = ((), ("lut", "lutram"), ("lutram", "ram"), ("dsp",))
ONE_POLICY = POLICIES[:1]
DEARER = 4.0


@dataclass(frozen=True)
class Greedy:
    """The best of `targets` targets; without `fits` the smallest of them, at `interval_cycles`."""

    choice: np.ndarray
    fits: bool
    interval_cycles: int
    fps: float
    targets: int


def greedy_folds(
    graph: IntGraph,
    board: Board,
    targets: int = TARGETS,
    policies: tuple[tuple[str, ...], ...] = POLICIES,
) -> Greedy:
    """The fastest greedy folding that fits `board`, over twice `targets` targets and the policies."""
    network = network_of(graph, board)
    baseline = _Baseline(network, vector(board.budget(), network.device.kinds), policies)
    low = max(int(o.intervals.min()) for o in network.options)
    high = max(int(o.intervals.max()) for o in network.options)
    coarse = np.geomspace(low, high, targets)
    fits = [baseline.take(t) for t in coarse]
    first = fits.index(True) if True in fits else targets
    if 0 < first < targets:
        for target in np.geomspace(coarse[first - 1], coarse[first], targets):
            baseline.take(target)
    choice, fits, interval = baseline.best
    return Greedy(choice, fits, interval, board.clock_hz / interval, 2 * targets)


class _Baseline:
    """Tries targets and keeps the best choice: (choice, fits, interval in cycles)."""

    def __init__(
        self, network: Network, limit: np.ndarray, policies: tuple[tuple[str, ...], ...]
    ) -> None:
        self.network, self.limit = network, limit
        self.best: tuple[np.ndarray, bool, int] = None
        self.ladders = [_ladder(o) for o in network.options]
        share = 1.0 / np.where(limit > 0, limit, 1.0)
        ram = network.device.kinds[4:]
        self.policies = []
        for dear in policies:
            kinds = {*dear, *(ram if "ram" in dear else ())}
            weights = [DEARER if k in kinds else 1.0 for k in network.device.kinds]
            self.policies.append(share * weights)

    def take(self, target_cycles: float) -> bool:
        """Whether a folding for this target fits under some policy."""
        fits = False
        for price in self.policies:
            steps = [_step(ladder, target_cycles) for ladder in self.ladders]
            pairs = zip(self.network.options, steps, strict=True)
            choice = np.array([s[int((o.counts[s] @ price).argmin())] for o, s in pairs])
            fits |= self._offer(choice)
        return fits

    def _offer(self, choice: np.ndarray) -> bool:
        holds = bool((self.network.counts(choice) <= self.limit + 1e-6).all())
        found = (choice, holds, self.network.interval_cycles(choice))
        if self.best is None or _rank(found) < _rank(self.best):
            self.best = found
        return holds


def _rank(found: tuple[np.ndarray, bool, int]) -> tuple[bool, int]:
    """The fastest of those that fit; else the slowest, which is the smallest."""
    _, fits, interval = found
    return not fits, interval if fits else -interval


def _ladder(options: Options) -> list[tuple[int, np.ndarray]]:
    """(interval, options) of each step: SIMD up, then PE up, then SIMD up where it needed that PE."""
    members: dict[tuple[int, int], list[int]] = {}
    for i, fold in enumerate(options.folds):
        members.setdefault((fold.simd, fold.pe), []).append(i)
    simds, pes = (sorted({pair[k] for pair in members}) for k in (0, 1))
    least_pe = min(pe for _, pe in members)
    path = [(simd, least_pe) for simd in simds if (simd, least_pe) in members]
    path += [(path[-1][0], pe) for pe in pes if (path[-1][0], pe) in members]
    last_simd, last_pe = path[-1]
    path += [(simd, last_pe) for simd in simds if simd > last_simd and (simd, last_pe) in members]
    steps = [np.array(members[pair]) for pair in dict.fromkeys(path)]
    return [(int(options.intervals[s].min()), s) for s in steps]


def _step(ladder: list[tuple[int, np.ndarray]], target_cycles: float) -> np.ndarray:
    """Options of the first step that is fast enough, or of the fastest."""
    fastest = min(interval for interval, _ in ladder)
    wanted = max(target_cycles, fastest)
    return next(options for interval, options in ladder if interval <= wanted)
