"""What no choice can beat: the budget's constraints priced instead of kept (a Lagrangian bound).

For prices p >= 0 of the counts, the least of `(cost + p) . counts - p . limit` over all choices is a
lower bound of the cost of every choice within `limit`; with cost 0, a bound over 0 proves that there
is none. The best prices are the duals of a linear program over mixtures of choices, which grows by
the cheapest choice at its own prices until both agree (Dantzig and Wolfe, 1960); it is as strong as
the convex hull of all choices of each node with its converters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.search.elimination import Elimination

MOST_ROUNDS = 300
# Relative to a cost or to a budget: where the program and the bound agree.
AGREEMENT = 1e-7
# A proof that no choice fits must not hang on rounding.
STOP_OVER = 1e-6
# Prices between the best so far and those of the program: fewer rounds than the latter alone.
SMOOTHING = 0.4


@dataclass(frozen=True)
class Bound:
    """`value` and the `prices` that prove it; `mixed` (picks) are the choices the program mixes."""

    value: float
    prices: np.ndarray
    mixed: tuple[np.ndarray, ...]


class Relaxation:
    """Bounds for one problem and budget; choices found for one question serve the next."""

    def __init__(self, elimination: Elimination, limit: np.ndarray, unit: np.ndarray) -> None:
        self.elimination, self.limit, self.unit = elimination, limit, unit
        self.picks: list[np.ndarray] = []
        self.counts: list[np.ndarray] = []

    def least_excess(self, stop: bool = True) -> Bound:
        """Bound of the largest excess in budgets; over 0: no choice fits.

        With `stop` it ends as soon as that, or a choice that fits, is known.
        """
        return self._bound(np.zeros(len(self.limit)), 1.0, stop)

    def least_cost(self, cost: np.ndarray, worth: float) -> Bound:
        """Bound of `cost` . counts of a choice that fits; no budget is priced over `worth`."""
        return self._bound(cost, worth, stop=False)

    def fitting(self) -> list[np.ndarray]:
        """Choices seen on the way that fit."""
        fits = [bool((c <= self.limit).all()) for c in self.counts]
        return [p for p, ok in zip(self.picks, fits, strict=True) if ok]

    def _bound(self, cost: np.ndarray, worth: float, stop: bool) -> Bound:
        master = _Master(self.limit, self.unit, cost, worth, least=0.0 if cost.any() else -np.inf)
        for picks, counts in zip(self.picks, self.counts, strict=True):
            master.add(picks, counts)
        scale = worth if not cost.any() else 0.0
        best, centre = -np.inf, worth / len(self.limit) / self.unit
        prices = centre
        for _ in range(MOST_ROUNDS):
            least, picks = self.elimination.minimum(cost + prices)
            value = least - float(prices @ self.limit)
            if value > best:
                best, centre = value, prices
            self._keep(master, picks)
            reached, duals = master.solve()
            agreed = reached - best <= AGREEMENT * max(scale, abs(reached))
            known = best > STOP_OVER or (self.counts[-1] <= self.limit).all()
            if agreed or (stop and known):
                break
            prices = SMOOTHING * centre + (1 - SMOOTHING) * duals
        return Bound(best, centre, master.mixed())

    def _keep(self, master: _Master, picks: np.ndarray) -> None:
        counts = self.elimination.problem.counts(picks)
        self.picks.append(picks)
        self.counts.append(counts)
        master.add(picks, counts)


class _Master:
    """min cost of a mixture + worth * excess, the counts of the mixture within limit + excess.

    `excess` is in budgets, the same for all counts, and at least `least`.
    """

    def __init__(
        self, limit: np.ndarray, unit: np.ndarray, cost: np.ndarray, worth: float, least: float
    ) -> None:
        from ortools.linear_solver import pywraplp

        self.solver = pywraplp.Solver.CreateSolver("GLOP")
        endless = self.solver.infinity()
        self.unit, self.cost = unit, cost
        excess = self.solver.NumVar(float(least), endless, "")
        self.solver.Objective().SetCoefficient(excess, worth)
        self.within = [self.solver.Constraint(-endless, float(n)) for n in limit / unit]
        for row in self.within:
            row.SetCoefficient(excess, -1.0)
        self.whole = self.solver.Constraint(1.0, 1.0)
        self.columns: list[tuple[object, np.ndarray]] = []

    def add(self, picks: np.ndarray, counts: np.ndarray) -> None:
        """A further choice to mix."""
        share = self.solver.NumVar(0.0, self.solver.infinity(), "")
        self.solver.Objective().SetCoefficient(share, float(self.cost @ counts))
        for row, count in zip(self.within, counts / self.unit, strict=True):
            row.SetCoefficient(share, float(count))
        self.whole.SetCoefficient(share, 1.0)
        self.columns.append((share, picks))

    def solve(self) -> tuple[float, np.ndarray]:
        """(objective, prices of a count each)."""
        self.solver.Solve()
        duals = np.array([-row.dual_value() for row in self.within])
        return self.solver.Objective().Value(), np.maximum(duals, 0.0) / self.unit

    def mixed(self) -> tuple[np.ndarray, ...]:
        """Choices in the mixture, the largest share first."""
        used = [(-s.solution_value(), i) for i, (s, _) in enumerate(self.columns)]
        return tuple(self.columns[i][1] for share, i in sorted(used) if share < -1e-9)
