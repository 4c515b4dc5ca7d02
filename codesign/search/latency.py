"""Foldings for a latency: the cheapest found by simulation, and a bound of what any must cost.

The latency of a design is known by simulation only. But from the event programs alone every folding
takes at least so many cycles along a path from input to output: those until each block before block i
gives its first token, those of block i until its last, those from the last token of each block behind.
These sums are counts like LUTs, one for each of some blocks i, and the latency is their budget: the
search among all foldings then gives a bound of the cost, and choices of which some really are so fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import floor, prod
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from codesign.blocks.fork import Fork
from codesign.board import Board
from codesign.design import Design
from codesign.graph.ir import IntGraph
from codesign.search.delays import Delay, delay_of
from codesign.search.exact import Cheapest, Decision, Exact
from codesign.search.fifo import size_fifos
from codesign.search.fills import Fills
from codesign.search.network import Network
from codesign.sim.host import bits_per_cycle
from codesign.sim.simulate import simulate

if TYPE_CHECKING:
    from codesign.search.folding import FoldResult, FoldSearch

LATENCY = "latency"
# Foldings that are simulated on the way to one that is fast enough.
ROUNDS = 8
# Of the solver, on one question of what latency is possible (about seconds).
EFFORT = 0.5
# Share of a latency within which the shortest that no proof excludes is looked for.
NEAR = 0.01
# Blocks i whose sums are counted, those with the most foldings.
MOST_BLOCKS = 5
# The first block can read one cycle after the host has written.
HOST_CYCLES = 1
FAR = 1 << 60


@dataclass(frozen=True)
class Step:
    """Node `node` on the path, read at `port_in`; arrays hold a number for each of its options.

    `fill` is None where some option may begin before its input comes, `tail` where the last token
    of some option does not wait for that of the input.
    """

    node: int
    fill: np.ndarray | None
    last: np.ndarray
    tail: np.ndarray | None


class LatencyBound:
    """Sums of delays as further counts of a network."""

    def __init__(self, graph: IntGraph, network: Network, board: Board) -> None:
        self.network, path = network, _path(graph, network)
        self.steps = [_step(graph, network, *place) for place in path]
        blocks, folds = [n.block for n in graph.nodes], [o.folds for o in network.options]
        self.fills = Fills(blocks, folds, path, host_bits_per_cycle(graph, board))
        rows = sorted(self._rows(), key=lambda row: -len(set(folds[self.steps[row].node])))
        rows = rows[:MOST_BLOCKS]
        self.sums = [sums for row in rows for sums in (self._counts(row), self._filled(row))]

    def exact(self, limit: np.ndarray, latency_cycles: float, all_options: bool = False) -> Exact:
        """Questions about foldings within `limit` whose delays allow the latency.

        With `all_options` those that take too long on their own stay, so that each block has some.
        """
        kept = self.network.options if all_options else self._possible(latency_cycles)
        added = self.sums
        device = self.network.device
        kinds = (*device.kinds, *(f"latency{i}" for i in range(len(added))))
        options = tuple(
            replace(o, counts=np.column_stack([o.counts, *(column[i] for column in added)]))
            for i, o in enumerate(kept)
        )
        network = replace(self.network, options=options, device=replace(device, kinds=kinds))
        allowed = np.full(len(added), float(latency_cycles - HOST_CYCLES))
        return Exact(network, np.concatenate([limit, allowed]))

    def _rows(self) -> Iterator[int]:
        """Places of the path whose last token the last output of the network waits for."""
        for place in reversed(range(len(self.steps))):
            yield place
            if self.steps[place].tail is None:
                return

    def _counts(self, row: int) -> list[np.ndarray]:
        """What each option of each node adds to the sum of one place."""
        found = [np.zeros(len(o.folds)) for o in self.network.options]
        for place, step in reversed(list(enumerate(self.steps))):
            if place > row:
                found[step.node] = found[step.node] + step.tail
            elif place == row:
                found[step.node] = found[step.node] + step.last
            if place < row and step.fill is not None:
                found[step.node] = found[step.node] + step.fill
            if place <= row and step.fill is None:
                break
        return found

    def _filled(self, row: int) -> list[np.ndarray]:
        """The same with what fills line buffers before the place, at the pace of who writes them."""
        found = [np.zeros(len(o.folds)) for o in self.network.options]
        for node, cycles in (*self.fills.counts(row), self.fills.rest(row)):
            found[node] = found[node] + cycles
        for step in self.steps[row + 1 :]:
            found[step.node] = found[step.node] + step.tail
        return found

    def _possible(self, latency_cycles: float) -> Iterator[object]:
        """Options; those that alone take too long are as slow as can be."""
        slowest = {self.steps[row].node: self.steps[row].last for row in self._rows()}
        for node, options in enumerate(self.network.options):
            last = slowest.get(node)
            late = np.zeros(len(options.folds), bool) if last is None else last > latency_cycles
            yield replace(options, intervals=np.where(late, FAR, options.intervals))


def host_bits_per_cycle(graph: IntGraph, board: Board) -> float:
    """What the host sends in a cycle."""
    ends = graph.input, graph.output
    moved = tuple(prod(end.shape) * end.qtype.bits for end in ends)
    return bits_per_cycle(moved, board.clock_hz, board)[0]


def _path(graph: IntGraph, network: Network) -> list[tuple[int, int, int]]:
    """(node, input, output) of the way from input to output that has the most foldings."""
    best: dict[str, tuple[float, list[tuple[int, int, int]]]] = {graph.input_tensor: (0, [])}
    for index, node in enumerate(graph.nodes):
        weight = len(network.options[index].folds)
        ways = [(*best[t], port) for port, t in enumerate(node.inputs) if t in best]
        if ways:
            length, way, port = max(ways, key=lambda found: found[0])
            for out, tensor in enumerate(node.outputs):
                best[tensor] = length + weight, [*way, (index, port, out)]
    return best[graph.output_tensor][1]


def _step(graph: IntGraph, network: Network, node: int, port: int, out: int) -> Step:
    block, known = graph.nodes[node].block, {}
    for fold in network.options[node].folds:
        if fold not in known:
            program = msgspec.structs.replace(block, fold=fold).program()
            known[fold] = delay_of(program, f"in{port}", f"out{out}")
    delays: list[Delay] = [known[fold] for fold in network.options[node].folds]
    fills, tails = [d.fill for d in delays], [d.tail for d in delays]
    return Step(
        node,
        None if None in fills else np.array(fills),
        np.array([d.last for d in delays]),
        None if None in tails else np.array(tails),
    )


class LatencySearch:
    """The cheapest folding of `search` within an interval and a latency, as far as it is found."""

    def __init__(self, search: FoldSearch, most_cycles: float, latency_s: float) -> None:
        self.search, self.clock_hz = search, search.board.clock_hz
        self.cycles = floor(latency_s * self.clock_hz * (1 + 1e-12))
        self.interval = int(min(most_cycles, search.intervals[-1]))
        self.bound = LatencyBound(search.graph, search.network, search.board)
        self.simulated: dict[bytes, int] = {}
        self.decided: dict[int, Decision] = {}

    def found(self) -> FoldResult:
        """The cheapest of those whose simulated latency is short enough, with the bound of all."""
        first = self._allowing(self.cycles)
        fitting = [c for c in self._tried(first) if self._latency(c) <= self.cycles]
        return self._reached(first, fitting) if fitting else self._missed(first)

    def _reached(self, first: Cheapest | None, fitting: list[Cheapest]) -> FoldResult:
        """The cheapest of those that are fast enough, none of which costs less than `first` proves."""
        best, bound = min(fitting, key=lambda c: c.cost), first.bound if first else -np.inf
        return self._with(self.search.result(replace(best, bound=bound), True), best)

    def _allowing(self, cycles: int) -> Cheapest | None:
        """The cheapest choice whose delays allow `cycles`; None where none is known to fit."""
        found = self._decided(cycles).choice
        if found is None:
            return None
        exact = self.bound.exact(self.search.exact.limit, cycles)
        more = np.zeros(len(exact.limit) - len(self.search.cost))
        return exact.cheapest(self.interval, found, np.concatenate([self.search.cost, more]))

    def _tried(self, first: Cheapest | None) -> Iterator[Cheapest]:
        """`first`; where it is too slow, those with less and less time, and those of equal intervals."""
        found, allowed = first, self.cycles
        for _ in range(ROUNDS):
            if found is None:
                break
            yield found
            latency = self._latency(found)
            if latency <= self.cycles:
                break
            allowed = min(allowed - 1, allowed * self.cycles // latency)
            found = self._allowing(allowed)
        if first is not None and self._latency(first) > self.cycles:
            yield from self._of_intervals()

    def _of_intervals(self) -> Iterator[Cheapest]:
        """By bisection the slowest interval whose cheapest choice is fast enough."""
        low, high = self.search.fastest_index(), self.search.index_within(self.interval)
        while low is not None and low <= high:
            middle = (low + high) // 2
            found = self.search.cheapest(middle)
            yield found
            short = self._latency(found) <= self.cycles
            low, high = (middle + 1, high) if short else (low, middle - 1)

    def _missed(self, first: Cheapest | None) -> FoldResult:
        """The shortest latency found, and why the target is out of reach as far as that is proven; a
        last search for the shortest may still reach it."""
        fastest = self.search.fastest()
        if not fastest.fits:
            return replace(fastest, meets_target=False)
        refuted, found = self._shortest()
        quick = [c for c in found if self._latency(c) <= self.cycles]
        network = self.search.network
        fitting = [c for c in quick if network.interval_cycles(c.choice) <= self.interval]
        if fitting:
            return self._reached(first, fitting)
        shortest = min(found, key=self._latency)
        result = self._with(self.search.result(shortest, False), shortest)
        bound_s = (refuted + 1) / self.clock_hz if refuted else 0.0
        lack = self._lack() if refuted >= self.cycles else {}
        proof = msgspec.structs.replace(result.proof, latency_bound_s=bound_s, **lack)
        return replace(result, proof=proof, best_fps=max(fastest.best_fps, result.fps))

    def _shortest(self) -> tuple[int, list[Cheapest]]:
        """(most cycles that no folding is within, choices on the way to the shortest latency)."""
        found = [self.search.cheapest(self.search.fastest_index())]
        refuted, allowed = self._refuted(0, self.cycles), self._latency(found[0])
        while allowed - refuted > max(1, int(allowed * NEAR)):
            middle = (refuted + allowed) // 2
            found += filter(None, [self._allowing(middle)])
            refuted = self._refuted(refuted, middle)
            allowed = allowed if refuted == middle else middle
        return refuted, found

    def _refuted(self, before: int, cycles: int) -> int:
        """`cycles` where no folding is within them, else `before`."""
        return cycles if self._decided(cycles).answer == "no" else before

    def _decided(self, cycles: int) -> Decision:
        """Whether some choice has delays that allow `cycles`."""
        if cycles not in self.decided:
            exact = self.bound.exact(self.search.exact.limit, cycles)
            self.decided[cycles] = exact.decide(self.interval, EFFORT)
        return self.decided[cycles]

    def _lack(self) -> dict[str, object]:
        """What every folding for the target lacks."""
        if self.search.index_within(self.interval) < 0:
            return {}
        exact = self.bound.exact(self.search.exact.limit, self.cycles, all_options=True)
        excess, shares = exact.lacking(self.interval)
        kinds = self.search.network.device.kinds
        binding = dict(zip(kinds, shares.tolist(), strict=False))
        binding[LATENCY] = float(shares[len(kinds) :].sum())
        return {"least_excess": max(0.0, excess), "binding": binding}

    def _with(self, result: FoldResult, found: Cheapest) -> FoldResult:
        seconds = self._latency(found) / self.clock_hz
        return replace(result, proof=msgspec.structs.replace(result.proof, latency_s=seconds))

    def _latency(self, found: Cheapest) -> int:
        key = found.choice.tobytes()
        if key not in self.simulated:
            self.simulated[key] = latency_cycles(
                self.search.design(found.choice), self.search.board
            )
        return self.simulated[key]


def latency_cycles(design: Design, board: Board) -> int:
    """Simulated; where streams fork, with the FIFOs that the design gets in the end, for with least
    ones it may stop for ever."""
    if any(isinstance(block, Fork) for block in design.blocks):
        design = size_fifos(design, board, full_rate=True)
    return simulate(design, board).latency_cycles
