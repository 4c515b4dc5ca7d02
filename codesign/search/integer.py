"""The remaining choice as an integer program, decided by CP-SAT.

One 0/1 variable for each option and for each pair of lanes on an edge. Marginals tie both to the
lanes of the ports, so that the program's own relaxation is no weaker than tables over lanes can be.
Counts are integers here: multiples of 1/SCALE, rounded down, so "infeasible" and bounds hold for the
real counts; a solution is checked with the real counts by who asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.search.problem import Problem

SCALE = 1 << 12
# Cost has no unit; counts of a design are around 1 in budgets.
COST_SCALE = 1 << 24


@dataclass(frozen=True)
class Answer:
    """`picks` found, or None; `proven` says that there is none, or (with a cost) none cheaper.

    `bound` is a lower bound of the cost, -inf without one.
    """

    picks: np.ndarray | None
    proven: bool
    bound: float


def solve(
    problem: Problem,
    limit: np.ndarray,
    cost: np.ndarray | None,
    effort: float,
    hint: np.ndarray | None = None,
) -> Answer:
    """Picks within `limit`, the cheapest of them when there is a `cost` of a count each.

    Deterministic: one worker, a fixed seed, and at most `effort` units of CP-SAT's own clock
    (about seconds of a fast core).
    """
    from ortools.sat.python import cp_model

    model = _Model(problem)
    model.keep_within(limit)
    if cost is not None:
        model.minimise(cost)
    if hint is not None:
        model.hint(hint)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    solver.parameters.max_deterministic_time = effort
    solver.parameters.linearization_level = 2
    status = solver.solve(model.model)
    if status == cp_model.INFEASIBLE:
        return Answer(None, True, np.inf)
    bound = -np.inf if cost is None else solver.best_objective_bound / COST_SCALE
    if status == cp_model.UNKNOWN:
        return Answer(None, False, bound)
    picks = [next(i for i, x in enumerate(node) if solver.value(x)) for node in model.options]
    return Answer(np.array(picks), status == cp_model.OPTIMAL, bound)


class _Model:
    """Variables and constraints; `options` holds a variable for each option of each node."""

    def __init__(self, problem: Problem) -> None:
        from ortools.sat.python import cp_model

        self.problem, self.model = problem, cp_model.CpModel()
        self.options = [[self._bit() for _ in n.options] for n in problem.nodes]
        for node in self.options:
            self.model.add_exactly_one(node)
        self.lanes = [self._lanes(v) for v in range(len(problem.sizes))]
        cells = [self._pair(pair.variables) for pair in problem.pairs]
        self.terms = [x for node in self.options for x in node]
        self.terms += [x for pair in cells for x in pair]
        self.rows = np.concatenate([problem.rows, problem.pair_rows])

    def keep_within(self, limit: np.ndarray) -> None:
        """Every count at most its limit."""
        for kind, most in enumerate(np.floor((limit + 1e-6) * SCALE).astype(np.int64)):
            self.model.add(self._sum(np.floor(self.rows[:, kind] * SCALE)) <= int(most))

    def minimise(self, cost: np.ndarray) -> None:
        """The least cost; rounded down, for a bound that holds."""
        self.model.minimize(self._sum(np.floor(self.rows @ cost * COST_SCALE)))

    def hint(self, picks: np.ndarray) -> None:
        """Where to start."""
        for node, pick in zip(self.options, picks, strict=True):
            for i, variable in enumerate(node):
                self.model.add_hint(variable, i == pick)

    def _sum(self, weights: np.ndarray) -> object:
        from ortools.sat.python import cp_model

        used = np.flatnonzero(weights)
        terms = [self.terms[i] for i in used]
        return cp_model.LinearExpr.weighted_sum(terms, [int(weights[i]) for i in used])

    def _bit(self) -> object:
        return self.model.new_bool_var("")

    def _lanes(self, variable: int) -> list[object]:
        """A variable for each lane of a port, tied to the options that have it."""
        bits = [self._bit() for _ in range(self.problem.sizes[variable])]
        options = self.options[self.problem.owner[variable]]
        for lane, bit in enumerate(bits):
            holding = np.flatnonzero(self.problem.lane_of[variable] == lane)
            self.model.add(sum(options[i] for i in holding) == bit)
        return bits

    def _pair(self, variables: tuple[int, int]) -> list[object]:
        """A variable for each pair of lanes on an edge, source lanes first."""
        sources, targets = (self.lanes[v] for v in variables)
        cells = [[self._bit() for _ in targets] for _ in sources]
        for row, bit in zip(cells, sources, strict=True):
            self.model.add(sum(row) == bit)
        for column, bit in zip(zip(*cells, strict=True), targets, strict=True):
            self.model.add(sum(column) == bit)
        return [x for row in cells for x in row]
