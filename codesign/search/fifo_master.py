"""The FIFOs of least memory that satisfy what is known so far, as a small integer program.

What is known are cuts: of some streams at least one must be so deep, or others come to so much together
(fifo_cuts.py). A FIFO is made in any style that the family has; all together stay within what the
blocks leave of the board's budget.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from math import ceil, prod

import numpy as np

from codesign.search.fifo_steps import Fifo, Steps

# Where the solver stops: relative to the bits, and nodes of its tree (no clock, so that answers repeat).
GAP, NODES = 1e-4, 2000
# Combinations up to which all are tried, which takes a millisecond; a solver starts in ten.
MOST_TRIED = 100_000
# Times the prices of counts, where all FIFOs together must be within the budget.
DEARER = (0.5, 0.8, 1.0, 1.25, 2.0, 4.0)
# In budgets: an excess that is none, and one beyond which bits count again.
ROUNDING, NEARLY = 1e-9, 1e-6


@dataclass(frozen=True)
class Cut:
    """At least one of the streams in `deep` has so many slots, or more; or else the slots of others,
    each times its `worth`, come to `least` or more."""

    deep: Mapping[str, int]
    worth: Mapping[str, int] = field(default_factory=dict)
    least: int = 0

    @property
    def streams(self) -> tuple[str, ...]:
        """All that it is about."""
        return *self.deep, *self.worth

    def holds(self, depths: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether it is satisfied, of arrays of any shape."""
        kept = [depths[name] >= least for name, least in self.deep.items()]
        if self.worth:
            kept.append(sum(depths[n] * worth for n, worth in self.worth.items()) >= self.least)
        return reduce(np.logical_or, kept)


@dataclass(frozen=True)
class Best:
    """FIFOs by stream; no others that satisfy the cuts, within the budget if they are priced, have
    fewer bits than `bound_bits`. `nodes` of the solver's trees were looked at."""

    fifos: dict[str, Fifo]
    bound_bits: float
    nodes: int = 0


@dataclass
class Master:
    """Streams of `width` bits, none with fewer slots than `least`; `left` of the budget, in counts.

    Counts are paid for in bits, at the prices of `steps` (none at first). What is left at these
    prices is given back, so that the bound holds for all FIFOs within the budget.
    """

    steps: Steps
    width: Mapping[str, int]
    least: dict[str, int]
    left: Sequence[float]
    cuts: list[Cut] = field(default_factory=list)
    solved: dict[object, Best] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Streams that share cuts are chosen together."""
        self.together = {name: (name,) for name in self.width}
        for cut in self.cuts:
            self._join(cut.streams)

    def _join(self, names: Iterable[str]) -> None:
        joined = tuple(dict.fromkeys(n for name in names for n in self.together[name]))
        self.together |= dict.fromkeys(joined, joined)

    def add(self, cut: Cut) -> None:
        """Keep a further cut in mind."""
        if len(cut.streams) > 1:
            self.cuts.append(cut)
            self._join(cut.streams)
            return
        ((name, depth),) = cut.deep.items()
        self.least[name] = max(depth, self.least[name])

    def solve(self) -> Best:
        """The FIFOs of least cost, as deep as they are without taking up more; streams that share
        no cut are chosen apart."""
        found = [self._of_group(*group) for group in self._groups()]
        fifos = {
            name: self.steps.deepest(fifo, self.width[name])
            for best in found
            for name, fifo in best.fifos.items()
        }
        given = sum(p * n for p, n in zip(self.steps.price, self.left, strict=True))
        bound = sum(best.bound_bits for best in found) - given
        return Best(fifos, bound, max(best.nodes for best in found))

    def pay(self) -> bool:
        """Price the counts by what one more of each would save in the relaxed program; False where
        even that does not fit."""
        options = {n: self._ways(n, self.cuts) for n in self.width}
        program = _Program(options, self.cuts, "GLOP")
        program.within(self.left, self.steps.share)
        prices = program.duals()
        self.steps = replace(self.steps, price=prices or self.steps.price)
        return prices is not None

    def affordable(self) -> dict[str, Fifo] | None:
        """FIFOs of few bits that satisfy the cuts within the budget, of the depths that are best when
        counts are dearer or cheaper; None where there are none."""
        priced = [replace(self, steps=self.steps.at(factor)).solve().fifos for factor in DEARER]
        options = {
            n: [f for d in {p[n].depth for p in priced} for f in self.steps.of_depth(d, width)]
            for n, width in self.width.items()
        }
        program = _Program(options, self.cuts, "SCIP")
        program.within(self.left, self.steps.share)
        found = program.solved()
        return found and found[0]

    def _groups(self) -> Iterator[tuple[tuple[str, ...], list[Cut]]]:
        """Streams that are chosen together, with the cuts of each group."""
        cuts = defaultdict(list)
        for cut in self.cuts:
            cuts[self.together[cut.streams[0]]].append(cut)
        for names in dict.fromkeys(self.together.values()):
            yield names, cuts[names]

    def _of_group(self, names: tuple[str, ...], cuts: Sequence[Cut]) -> Best:
        key = names, self.steps.price, tuple(map(self.least.get, names)), len(cuts)
        if key not in self.solved:
            options = {n: _leaner(self._ways(n, cuts), self.steps.cost) for n in names}
            self.solved[key] = _cheapest(options, cuts, self.steps.cost)
        return self.solved[key]

    def _ways(self, name: str, cuts: Sequence[Cut]) -> list[Fifo]:
        """FIFOs of the depths that any of these asks for."""
        least, width = self.least[name], self.width[name]
        depths = {max(least, cut.deep[name]) for cut in cuts if name in cut.deep} | {least}
        for cut in (c for c in cuts if name in c.worth):
            most = max(least, ceil(cut.least / cut.worth[name]))
            depths.update(self.steps.depths(least, most, width))
        return [fifo for d in sorted(depths) for fifo in self.steps.of_depth(d, width)]


def _cheapest(
    options: Mapping[str, Sequence[Fifo]], cuts: Sequence[Cut], cost: Callable[[Fifo], float]
) -> Best:
    """One option for each stream, of least cost together."""
    if not cuts:
        fifos = {name: min(ways, key=cost) for name, ways in options.items()}
        return Best(fifos, sum(map(cost, fifos.values())))
    if prod(map(len, options.values())) <= MOST_TRIED:
        return _tried(options, cuts, cost)
    return Best(*_Program(options, cuts, "SCIP", cost).solved())


def _tried(
    options: Mapping[str, Sequence[Fifo]], cuts: Sequence[Cut], cost: Callable[[Fifo], float]
) -> Best:
    """The same by trying all: an array with an axis for each stream."""
    names, ways = list(options), list(options.values())
    axes = _axes([[fifo.depth for fifo in fifos] for fifos in ways])
    depths = dict(zip(names, axes, strict=True))
    costs = sum(_axes([list(map(cost, fifos)) for fifos in ways]))
    for cut in cuts:
        costs = np.where(cut.holds(depths), costs, np.inf)
    best = np.unravel_index(np.argmin(costs), costs.shape)
    fifos = {name: fifos[i] for name, fifos, i in zip(names, ways, best, strict=True)}
    return Best(fifos, float(costs[best]))


def _axes(rows: Sequence[Sequence[float]]) -> list[np.ndarray]:
    """Each row along an axis of its own."""
    return list(np.ix_(*map(np.array, rows)))


def cheapest(
    options: Mapping[str, Sequence[Fifo]], left: Sequence[float], share: Sequence[float]
) -> dict[str, Fifo]:
    """One option for each stream: of least bits within what is `left`, or with the least excess.

    `share` is that of one of each count in its budget.
    """
    lean = {name: min(fifos, key=lambda f: f.bits) for name, fifos in options.items()}
    if fits(lean, left):
        return lean

    def program(excess: float) -> _Program:
        made = _Program(options, (), "SCIP")
        made.within(left, share, excess)
        return made

    found = program(0.0).solved()
    if found is not None:
        return found[0]
    excess = program(0.0).least_excess()
    return program(excess + NEARLY * (1 + excess)).solved()[0]


def _leaner(fifos: Sequence[Fifo], cost: Callable[[Fifo], float]) -> list[Fifo]:
    """Those that no other is as deep as at less cost."""
    kept: list[Fifo] = []
    for fifo in sorted(fifos, key=lambda f: (-f.depth, cost(f))):
        if not kept or cost(fifo) < cost(kept[-1]):
            kept.append(fifo)
    return kept


def fits(fifos: Mapping[str, Fifo], left: Sequence[float]) -> bool:
    """Whether these FIFOs are within what is left."""
    sums = (sum(counts) for counts in zip(*(f.counts for f in fifos.values()), strict=True))
    return all(n <= most for n, most in zip(sums, left, strict=True))


class _Program:
    """A 0/1 variable for each option of each stream; one of each, and a row for each cut."""

    def __init__(
        self,
        options: Mapping[str, Sequence[Fifo]],
        cuts: Sequence[Cut],
        solver: str,
        cost: Callable[[Fifo], float] = lambda fifo: fifo.bits,
    ) -> None:
        from ortools.linear_solver import pywraplp

        self.solver = pywraplp.Solver.CreateSolver(solver)
        self.cost = cost
        self.options = {n: [(f, self._variable(f)) for f in fifos] for n, fifos in options.items()}
        self.rows: list[object] = []
        self.share: Sequence[float] = ()
        for ways in self.options.values():
            one = self.solver.Constraint(1, 1)
            for _, x in ways:
                one.SetCoefficient(x, 1)
        for cut in cuts:
            self._hold(cut)

    def _hold(self, cut: Cut) -> None:
        """A deep stream is worth the whole sum; more than that counts no more."""
        least = cut.least if cut.worth else 1
        row = self.solver.Constraint(least, self.solver.infinity())
        for name, depth in cut.deep.items():
            for x in (x for f, x in self.options[name] if f.depth >= depth):
                row.SetCoefficient(x, least)
        for name, worth in cut.worth.items():
            for f, x in self.options[name]:
                row.SetCoefficient(x, min(least, worth * f.depth))

    def _variable(self, fifo: Fifo) -> object:
        x = self.solver.BoolVar("")
        self.solver.Objective().SetCoefficient(x, self.cost(fifo))
        return x

    def within(self, left: Sequence[float], share: Sequence[float], excess: float = 0.0) -> None:
        """Every count at most what is left and `excess` budgets; none of what the board has not."""
        self.share = [s or 1.0 for s in share]
        for kind, (most, part) in enumerate(zip(left, self.share, strict=True)):
            row = self.solver.Constraint(-self.solver.infinity(), most * part + excess + ROUNDING)
            for fifo, x in (way for ways in self.options.values() for way in ways):
                if fifo.counts[kind]:
                    row.SetCoefficient(x, fifo.counts[kind] * part)
            self.rows.append(row)

    def solved(self) -> tuple[dict[str, Fifo], float, int] | None:
        """(FIFOs, bound of their bits, nodes of the tree); None when there are none."""
        self.solver.SetSolverSpecificParametersAsString(
            f"limits/gap = {GAP}\nlimits/nodes = {NODES}\n"
        )
        if self.solver.Solve() not in (self.solver.OPTIMAL, self.solver.FEASIBLE):
            return None
        picked = {
            name: max(ways, key=lambda way: way[1].solution_value())[0]
            for name, ways in self.options.items()
        }
        return picked, self.solver.Objective().BestBound(), int(self.solver.nodes())

    def least_excess(self) -> float:
        """Budgets by which some count is exceeded, at least."""
        excess = self.solver.NumVar(0, self.solver.infinity(), "")
        self.solver.Objective().Clear()
        self.solver.Objective().SetCoefficient(excess, 1)
        for row in self.rows:
            row.SetCoefficient(excess, -1)
        self.solver.Solve()
        return excess.solution_value()

    def duals(self) -> tuple[float, ...] | None:
        """Bits for one more of each count; None where nothing fits."""
        if self.solver.Solve() != self.solver.OPTIMAL:
            return None
        pairs = zip(self.rows, self.share, strict=True)
        return tuple(max(0.0, -row.dual_value() * part) for row, part in pairs)
