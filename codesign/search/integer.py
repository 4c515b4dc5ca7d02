"""The remaining choice as an integer program, decided by CP-SAT.

One 0/1 variable for each option of a node and each way of converting on an edge. Both are tied to the
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
    picks = [next(i for i, x in enumerate(bits) if solver.value(x)) for bits in model.options]
    return Answer(np.array(picks), status == cp_model.OPTIMAL, bound)


class _Model:
    """Variables and constraints; `options` holds a variable for each option of each table."""

    def __init__(self, problem: Problem) -> None:
        from ortools.sat.python import cp_model

        self.problem, self.model = problem, cp_model.CpModel()
        self.options = [[self._bit() for _ in t.options] for t in problem.tables]
        self.lanes = [[self._bit() for _ in range(size)] for size in problem.sizes]
        for table, bits in zip(problem.tables, self.options, strict=True):
            self.model.add_exactly_one(bits)
            for variable, lanes in zip(table.variables, table.lanes, strict=True):
                self._tie(bits, lanes, self.lanes[variable])
        self.terms = [x for bits in self.options for x in bits]

    def _tie(self, options: list[object], lanes: np.ndarray, bits: list[object]) -> None:
        """The options with a lane, together, are the variable of that lane."""
        for lane, bit in enumerate(bits):
            holding = np.flatnonzero(lanes == lane)
            self.model.add(sum(options[i] for i in holding) == bit)

    def keep_within(self, limit: np.ndarray) -> None:
        """Every count at most its limit."""
        for kind, most in enumerate(np.floor((limit + 1e-6) * SCALE).astype(np.int64)):
            self.model.add(self._sum(np.floor(self.problem.rows[:, kind] * SCALE)) <= int(most))

    def minimise(self, cost: np.ndarray) -> None:
        """The least cost; rounded down, for a bound that holds."""
        self.model.minimize(self._sum(np.floor(self.problem.rows @ cost * COST_SCALE)))

    def hint(self, picks: np.ndarray) -> None:
        """Where to start."""
        for bits, pick in zip(self.options, picks, strict=True):
            for i, variable in enumerate(bits):
                self.model.add_hint(variable, i == pick)

    def _sum(self, weights: np.ndarray) -> object:
        from ortools.sat.python import cp_model

        used = np.flatnonzero(weights)
        terms = [self.terms[i] for i in used]
        return cp_model.LinearExpr.weighted_sum(terms, [int(weights[i]) for i in used])

    def _bit(self) -> object:
        return self.model.new_bool_var("")
