"""Which intervals are within reach, and the cheapest choice at one: proven, or with its gap.

At an interval each node keeps the options that are fast enough. A relaxation either proves that no
choice of them fits, or mixes choices from which an exchange nearly always finds one that does. What
is still open loses every option whose best choice the relaxation's prices rule out, and CP-SAT
decides the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.search.elimination import Elimination
from codesign.search.exchange import settled
from codesign.search.integer import solve
from codesign.search.network import Network
from codesign.search.problem import Problem, problem_of
from codesign.search.relaxation import Bound, Relaxation

# Units of CP-SAT's deterministic clock for one question (about a second each).
DECIDING_EFFORT = 10.0
MINIMISING_EFFORT = 2.0
# What an excess of one budget costs in the relaxation of the cheapest choice.
EXCESS_WORTH = 1000.0
# What one budget is of a count that the board does not have: so little that other counts give way.
UNIT_OF_NONE = 0.01
# Counts are sums of hundreds of parts in floating point.
ROUNDING = 1e-6


@dataclass(frozen=True)
class Decision:
    """Whether some choice fits: "yes" with the choice (as in `Network`), "no" with the proof,
    or "open". `excess` is a lower bound of the largest excess over the limit in any choice, in
    budgets, and `binding` the share of each count in this bound (0 where not computed)."""

    answer: str
    choice: np.ndarray | None
    excess: float
    binding: np.ndarray


@dataclass(frozen=True)
class Cheapest:
    """A choice that fits, its cost, and a lower bound of the cost of every choice that fits."""

    choice: np.ndarray
    cost: float
    bound: float


class Exact:
    """Questions about one network within one limit (counts in the order of the device's kinds)."""

    def __init__(self, network: Network, limit: np.ndarray) -> None:
        self.network, self.limit = network, limit
        self.unit = np.where(limit > 0, limit, UNIT_OF_NONE)

    def decide(self, interval_cycles: int, effort: float = DECIDING_EFFORT) -> Decision:
        """Does any choice with every node at most `interval_cycles` fit?

        `effort` goes into a search where the relaxation leaves it open, in the solver's own seconds.
        """
        kept = self._allowed(interval_cycles)
        if any(len(k) == 0 for k in kept):
            return Decision("no", None, np.inf, np.zeros(len(self.limit)))
        elimination = Elimination(problem_of(self.network, kept))
        relaxation = Relaxation(elimination, self.limit, self.unit)
        bound = relaxation.least_excess()
        binding = bound.prices * self.unit
        if bound.value > ROUNDING:
            return Decision("no", None, bound.value, binding)
        problem = elimination.problem
        seen = relaxation.fitting()
        picks = seen[0] if seen else self._best(problem, list(bound.mixed), np.zeros(len(binding)))
        if self._fits(problem, picks):
            return Decision("yes", problem.choice(picks), bound.value, binding)
        return self._searched(elimination, bound, binding, effort)

    def cheapest(self, interval_cycles: int, choice: np.ndarray, cost: np.ndarray) -> Cheapest:
        """The least `cost` . counts at an interval at which `choice` fits."""
        # In budgets, so that an excess weighs more whatever the counts cost.
        scale = float(cost @ self.unit) / len(cost)
        found = self._cheapest(interval_cycles, choice, cost / scale)
        return Cheapest(found.choice, found.cost * scale, found.bound * scale)

    def _cheapest(self, interval_cycles: int, choice: np.ndarray, cost: np.ndarray) -> Cheapest:
        problem = problem_of(self.network, self._allowed(interval_cycles))
        relaxation = Relaxation(Elimination(problem), self.limit, self.unit)
        bound = relaxation.least_cost(cost, EXCESS_WORTH)
        start = problem.picks(choice)
        picks = self._best(problem, [start, *relaxation.fitting(), *bound.mixed], cost)
        picks = picks if self._fits(problem, picks) else start
        reached = float(problem.counts(picks) @ cost)
        if reached - bound.value <= ROUNDING * abs(reached):
            return Cheapest(problem.choice(picks), reached, min(bound.value, reached))
        return self._improved(relaxation, bound, picks, cost)

    def least_excess(self, interval_cycles: int) -> Decision:
        """The choice of the least excess found, the best bound of it, and what binds."""
        problem = problem_of(self.network, self._allowed(interval_cycles))
        bound = self._least_excess(problem)
        picks = self._best(problem, list(bound.mixed), np.zeros(len(self.limit)))
        answer = "no" if bound.value > ROUNDING else "open"
        return Decision(answer, problem.choice(picks), bound.value, bound.prices * self.unit)

    def lacking(self, interval_cycles: int) -> tuple[float, np.ndarray]:
        """(bound of the largest excess in any choice in budgets, share of each count in it)."""
        bound = self._least_excess(problem_of(self.network, self._allowed(interval_cycles)))
        return bound.value, bound.prices * self.unit

    def _least_excess(self, problem: Problem) -> Bound:
        return Relaxation(Elimination(problem), self.limit, self.unit).least_excess(stop=False)

    def _allowed(self, interval_cycles: int) -> list[np.ndarray]:
        return [np.flatnonzero(o.intervals <= interval_cycles) for o in self.network.options]

    def _fits(self, problem: Problem, picks: np.ndarray) -> bool:
        return bool((problem.counts(picks) <= self.limit + ROUNDING).all())

    def _best(self, problem: Problem, starts: list[np.ndarray], cost: np.ndarray) -> np.ndarray:
        """The best of the improved `starts`; one that fits, if any does."""
        found = [settled(problem, s, self.limit, cost) for s in starts]
        return min(found, key=lambda p: self._price(problem.counts(p), cost))

    def _price(self, counts: np.ndarray, cost: np.ndarray) -> tuple[float, float]:
        excess = np.maximum(counts - self.limit - ROUNDING, 0.0)
        return float((excess / self.unit).sum()), float(counts @ cost)

    def _searched(
        self, elimination: Elimination, bound: Bound, binding: np.ndarray, effort: float
    ) -> Decision:
        """CP-SAT on the options that the relaxation's prices leave."""
        worth = elimination.marginals(bound.prices) - float(bound.prices @ self.limit)
        rest = _without(elimination.problem, worth > ROUNDING)
        if rest is None:
            return Decision("no", None, 0.0, binding)
        found = solve(rest, self.limit, None, effort)
        if found.picks is not None and self._fits(rest, found.picks):
            return Decision("yes", rest.choice(found.picks), bound.value, binding)
        none = found.picks is None and found.proven
        return Decision("no" if none else "open", None, max(bound.value, 0.0), binding)

    def _improved(
        self, relaxation: Relaxation, bound: Bound, picks: np.ndarray, cost: np.ndarray
    ) -> Cheapest:
        """CP-SAT on the options that can still be cheaper than `picks`."""
        elimination = relaxation.elimination
        problem = elimination.problem
        reached = float(problem.counts(picks) @ cost)
        worth = elimination.marginals(cost + bound.prices) - float(bound.prices @ self.limit)
        dear = worth > reached * (1 + ROUNDING)
        rest = _without(problem, dear)
        start = None if rest is None else rest.picks(problem.choice(picks))
        if rest is None or start is None:
            return Cheapest(problem.choice(picks), reached, reached)
        found = solve(rest, self.limit, cost, MINIMISING_EFFORT, start)
        least = max(bound.value, min(found.bound, reached))
        if found.picks is not None and self._fits(rest, found.picks):
            other = float(rest.counts(found.picks) @ cost)
            if other < reached:
                return Cheapest(rest.choice(found.picks), other, min(least, other))
        return Cheapest(problem.choice(picks), reached, least)


def _without(problem: Problem, dropped: np.ndarray) -> Problem | None:
    """The problem without the options in rows `dropped`; None when a node has none left."""
    kept = [n.options[~dropped[n.rows]] for n in problem.nodes]
    if any(len(k) == 0 for k in kept):
        return None
    return problem_of(problem.network, [np.sort(k) for k in kept])
