"""The FIFOs of least memory that satisfy what is known so far, as a small integer program.

What is known are cuts: of some streams at least one must be so deep (fifo_cuts.py). A FIFO is made in
any style that the family has; all together stay within what the blocks leave of the board's budget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from codesign.search.fifo_steps import Fifo, Steps

# At least one of these streams has so many slots, or more.
Cut = Mapping[str, int]

# Where the solver stops: relative to the bits, and nodes of its tree (no clock, so that answers repeat).
GAP, NODES = 1e-4, 2000
# In budgets: an excess that is none, and one beyond which bits count again.
ROUNDING, NEARLY = 1e-9, 1e-6


@dataclass(frozen=True)
class Budgeted:
    """FIFOs by stream; no others that satisfy the cuts have fewer bits than `bound_bits`.

    `fits` says that they are within the budget; where none are, they exceed it least, and the bound
    is that of any budget. `nodes` of the solver's tree were looked at.
    """

    fifos: dict[str, Fifo]
    bound_bits: float
    fits: bool
    nodes: int = 0


@dataclass
class Master:
    """Streams of `width` bits, none with fewer slots than `least`; `left` of the budget, in counts."""

    steps: Steps
    width: Mapping[str, int]
    least: dict[str, int]
    left: Sequence[float]
    cuts: list[Cut] = field(default_factory=list)

    def add(self, cut: Cut) -> None:
        """Keep a further cut in mind."""
        if len(cut) > 1:
            self.cuts.append(cut)
        for name, depth in cut.items() if len(cut) == 1 else ():
            self.least[name] = max(depth, self.least[name])

    def solve(self, budgeted: bool = True) -> Budgeted:
        """The FIFOs of least bits, as deep as they are without taking up more; in any budget if not
        `budgeted`."""
        options = self._options()
        if budgeted:
            found = cheapest(options, self.cuts, self.left, self.steps.share)
        else:
            fifos, bound, nodes = leanest(options, self.cuts)
            found = Budgeted(fifos, bound, False, nodes)
        fifos = {n: self.steps.deepest(f, self.width[n]) for n, f in found.fifos.items()}
        return Budgeted(fifos, found.bound_bits, found.fits, found.nodes)

    def prices(self) -> tuple[float, ...]:
        """Bits that one more of each count would save: the duals of the relaxed program."""
        program = _Program(self._options(), self.cuts, "GLOP")
        program.within(self.left, self.steps.share)
        return program.duals()

    def _options(self) -> dict[str, list[Fifo]]:
        return {name: self._ways(name, width) for name, width in self.width.items()}

    def _ways(self, name: str, width: int) -> list[Fifo]:
        least = self.least[name]
        depths = {max(least, cut[name]) for cut in self.cuts if name in cut} | {least}
        return [fifo for d in sorted(depths) for fifo in self.steps.of_depth(d, width)]


def cheapest(
    options: Mapping[str, Sequence[Fifo]],
    cuts: Sequence[Cut],
    left: Sequence[float],
    share: Sequence[float],
) -> Budgeted:
    """One option for each stream: of least bits within what is `left`, or with the least excess.

    `share` is that of one of each count in its budget.
    """

    def program(excess: float) -> _Program:
        made = _Program(options, cuts, "SCIP")
        made.within(left, share, excess)
        return made

    lean, bound, nodes = leanest(options, cuts)
    if fits(lean, left):
        return Budgeted(lean, bound, True, nodes)
    found = program(0.0).solved()
    if found is not None:
        fifos, bound, nodes = found
        return Budgeted(fifos, bound, True, nodes)
    excess = program(0.0).least_excess()
    fifos, *_ = program(excess + NEARLY * (1 + excess)).solved()
    return Budgeted(fifos, bound, False, nodes)


def leanest(
    options: Mapping[str, Sequence[Fifo]], cuts: Sequence[Cut]
) -> tuple[dict[str, Fifo], float, int]:
    """(FIFOs of least bits that satisfy the cuts, a bound of these, nodes), in any budget."""
    lean = {name: min(fifos, key=lambda f: f.bits) for name, fifos in options.items()}
    tied = {name: _leaner(options[name]) for cut in cuts for name in cut}
    rest = sum(fifo.bits for name, fifo in lean.items() if name not in tied)
    found = _Program(tied, cuts, "SCIP").solved() if tied else ({}, 0.0, 0)
    return {**lean, **found[0]}, rest + found[1], found[2]


def _leaner(fifos: Sequence[Fifo]) -> list[Fifo]:
    """Those that no other is as deep as with fewer bits."""
    kept: list[Fifo] = []
    for fifo in sorted(fifos, key=lambda f: (-f.depth, f.bits)):
        if not kept or fifo.bits < kept[-1].bits:
            kept.append(fifo)
    return kept


def fits(fifos: Mapping[str, Fifo], left: Sequence[float]) -> bool:
    """Whether these FIFOs are within what is left."""
    sums = (sum(counts) for counts in zip(*(f.counts for f in fifos.values()), strict=True))
    return all(n <= most for n, most in zip(sums, left, strict=True))


class _Program:
    """A 0/1 variable for each option of each stream; one of each, at least one deep one a cut."""

    def __init__(
        self, options: Mapping[str, Sequence[Fifo]], cuts: Sequence[Cut], solver: str
    ) -> None:
        from ortools.linear_solver import pywraplp

        self.solver = pywraplp.Solver.CreateSolver(solver)
        self.options = {n: [(f, self._variable(f)) for f in fifos] for n, fifos in options.items()}
        self.rows: list[object] = []
        self.share: Sequence[float] = ()
        for ways in self.options.values():
            one = self.solver.Constraint(1, 1)
            for _, x in ways:
                one.SetCoefficient(x, 1)
        for cut in cuts:
            row = self.solver.Constraint(1, self.solver.infinity())
            for x in (
                x for n, depth in cut.items() for f, x in self.options[n] if f.depth >= depth
            ):
                row.SetCoefficient(x, 1)

    def _variable(self, fifo: Fifo) -> object:
        x = self.solver.BoolVar("")
        self.solver.Objective().SetCoefficient(x, fifo.bits)
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

    def duals(self) -> tuple[float, ...]:
        """Bits for one more of each count; zeros where nothing fits."""
        if self.solver.Solve() != self.solver.OPTIMAL:
            return (0.0,) * len(self.rows)
        pairs = zip(self.rows, self.share, strict=True)
        return tuple(max(0.0, -row.dual_value() * part) for row, part in pairs)
