"""Improves a choice: one node after another takes the option that is best with all others as they are.

Width converters included, this moves multipliers between LUTs and DSPs, memories and FIFOs between LUTs
and block RAM until all counts fit, or nothing gets better.
"""

from __future__ import annotations

import numpy as np

from codesign.search.problem import Problem, Table

ROUNDS = 8
# What one budget's worth of excess costs, against one budget's worth of use.
EXCESS_PRICE = 1000.0


def settled(problem: Problem, picks: np.ndarray, limit: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Picks no dearer than `picks`: `cost` . counts, and far more for what exceeds `limit`."""
    exchange = _Exchange(problem, picks, limit, cost)
    for _ in range(ROUNDS):
        before = exchange.picks.copy()
        for node in range(len(problem.nodes)):
            exchange.node(node)
        for edge in range(len(problem.nodes), len(problem.tables)):
            exchange.edge(edge)
        if (exchange.picks == before).all():
            break
    return exchange.picks


class _Exchange:
    """Picks under improvement, and their counts."""

    def __init__(
        self, problem: Problem, picks: np.ndarray, limit: np.ndarray, cost: np.ndarray
    ) -> None:
        self.problem, self.limit, self.cost = problem, limit, cost
        self.unit = np.where(limit > 0, limit, 1.0)
        self.picks, self.total = picks.copy(), problem.counts(picks)
        # The way that a conversion takes first; which one is best is seen edge by edge.
        price = cost + 1.0 / self.unit
        tables = problem.tables[len(problem.nodes) :]
        self.ways = [_cheapest_of_cells(t, problem.rows[t.rows] @ price) for t in tables]

    def node(self, node: int) -> None:
        """Give a node its best option, with the conversions on its edges."""
        problem, picks = self.problem, self.picks
        table = problem.tables[node]
        rows, ways = problem.rows[table.rows], {}
        here = rows[picks[node]]
        for index in problem.joined[node]:
            edge = problem.tables[index]
            cells = self._cells(node, edge)
            ways[index] = self.ways[index - len(problem.nodes)][cells]
            rows = rows + problem.rows[edge.first + ways[index]]
            here = here + problem.rows[edge.first + picks[index]]
        best, totals = self._best(self.total - here + rows)
        if best is not None:
            picks[node], self.total = best, totals
            for index, way in ways.items():
                picks[index] = way[best]

    def edge(self, index: int) -> None:
        """Give an edge its best way of converting between the lanes at its ends."""
        table = self.problem.tables[index]
        among = table.within(table.cells[self.picks[index]])
        if among.stop - among.start > 1:
            rows = self.problem.rows[table.rows]
            best, totals = self._best(self.total - rows[self.picks[index]] + rows[among])
            if best is not None:
                self.picks[index], self.total = among.start + best, totals

    def _cells(self, node: int, edge: Table) -> np.ndarray:
        """Cells of an edge for each option of a node, the other node as it is."""
        lanes = []
        for variable in edge.variables:
            owner, axis = self.problem.owner[variable]
            every = self.problem.tables[owner].lanes[axis]
            lanes.append(every if owner == node else every[self.picks[owner]])
        return lanes[0] * edge.shape[1] + lanes[1]

    def _best(self, totals: np.ndarray) -> tuple[int | None, np.ndarray]:
        """The cheapest of `totals` where that is cheaper than now."""
        prices = self._price(totals)
        best = int(prices.argmin())
        if prices[best] < self._price(self.total[None])[0]:
            return best, totals[best]
        return None, self.total

    def _price(self, totals: np.ndarray) -> np.ndarray:
        excess = np.maximum(totals - self.limit, 0.0) / self.unit
        return totals @ self.cost + EXCESS_PRICE * excess.sum(axis=1)


def _cheapest_of_cells(table: Table, values: np.ndarray) -> np.ndarray:
    """For each cell the option of least value."""
    order = np.lexsort((values, table.cells))
    found = np.zeros(int(np.prod(table.shape)), np.int64)
    cells = table.cells[order]
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    found[cells[first]] = order[first]
    return found
