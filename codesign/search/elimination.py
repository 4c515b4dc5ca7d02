"""The exact minimum of a sum of tables by eliminating one variable after another.

Variables are the lanes of ports. Networks are nearly chains: with the variable of the smallest table
first, no table grows beyond three variables on residual networks, so the minimum over all choices of
a priced problem takes milliseconds (Bertele and Brioschi, Nonserial Dynamic Programming, 1972).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from codesign.search.problem import Problem

Factor = tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """A table inside a larger one: the order of its axes there, its shape there, the axes it lacks."""

    table: int
    axes: tuple[int, ...]
    shape: tuple[int, ...]
    lacking: tuple[int, ...]

    def spread(self, table: np.ndarray) -> np.ndarray:
        """The table in the shape of the larger one."""
        return table.transpose(self.axes).reshape(self.shape)

    def projected(self, whole: np.ndarray) -> np.ndarray:
        """Least of `whole` for each cell of the table."""
        return whole.min(axis=self.lacking).transpose(np.argsort(self.axes))


@dataclass(frozen=True)
class Step:
    """Eliminates `clique[0]`: the sum of `parts` over `clique`, its minimum is a new table."""

    clique: tuple[int, ...]
    parts: tuple[Part, ...]


class Elimination:
    """The order for one problem; priced again and again."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        factors = [t.variables for t in problem.tables]
        self.steps, self.constants = _steps(factors, problem.sizes)
        self.inputs = len(factors)

    def minimum(self, price: np.ndarray) -> tuple[float, np.ndarray]:
        """Least price of any choice and the picks that have it; `price` (kinds,) of a count each."""
        values, tables, cliques = self._forward(price)
        lane = np.zeros(len(self.problem.sizes), np.int64)
        for step, clique in zip(reversed(self.steps), reversed(cliques), strict=True):
            column = clique[(slice(None), *(lane[v] for v in step.clique[1:]))]
            lane[step.clique[0]] = column.argmin()
        picks = [self._pick(i, lane, values) for i in range(len(self.problem.tables))]
        return self._total(tables), np.array(picks)

    def marginals(self, price: np.ndarray) -> np.ndarray:
        """For each option the least price of any choice that takes it; (rows of the problem,)."""
        values, tables, cliques = self._forward(price)
        through: list[np.ndarray | None] = [None] * (self.inputs + len(self.steps))
        total = self._total(tables)
        for i in reversed(range(len(self.steps))):
            message = self.inputs + i
            above = through[message]
            # What the rest of the network costs for each value of the variables that remain.
            rest = total - tables[message] if above is None else _difference(above, tables[message])
            whole = cliques[i] + rest[None]
            for part in self.steps[i].parts:
                through[part.table] = part.projected(whole)
        least = np.empty(len(values))
        for table, cells in zip(self.problem.tables, through, strict=False):
            best = table.cheapest(values[table.rows]).ravel()[table.cells]
            whole = np.full(len(best), total) if cells is None else cells.ravel()[table.cells]
            least[table.rows] = whole - best + values[table.rows]
        return least

    def _forward(self, price: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
        problem = self.problem
        values = problem.rows @ price
        tables = [t.cheapest(values[t.rows]) for t in problem.tables]
        cliques = []
        for step in self.steps:
            clique = 0.0
            for part in step.parts:
                clique = clique + part.spread(tables[part.table])
            cliques.append(clique)
            tables.append(clique.min(axis=0))
        return values, tables, cliques

    def _total(self, tables: list[np.ndarray]) -> float:
        return float(sum(tables[i] for i in self.constants))

    def _pick(self, index: int, lane: np.ndarray, values: np.ndarray) -> int:
        """The cheapest option of a table with these lanes."""
        table = self.problem.tables[index]
        cell = 0
        for variable, size in zip(table.variables, table.shape, strict=True):
            cell = cell * size + int(lane[variable])
        among = table.within(cell)
        return among.start + int(values[table.rows][among].argmin())


def _steps(
    factors: list[Factor], sizes: tuple[int, ...]
) -> tuple[tuple[Step, ...], tuple[int, ...]]:
    """Steps that eliminate every variable, and the tables without variables that are left."""
    scopes = dict(enumerate(factors))
    holding: list[set[int]] = [set() for _ in sizes]
    for number, scope in scopes.items():
        for variable in scope:
            holding[variable].add(number)
    waiting, steps = set(range(len(sizes))), []
    cost = {v: _cost(v, scopes, holding, sizes) for v in waiting}
    while waiting:
        variable = min(waiting, key=lambda v: (cost[v], v))
        waiting.discard(variable)
        used = sorted(holding[variable])
        others = sorted({v for n in used for v in scopes[n]} - {variable})
        clique = (variable, *others)
        steps.append(Step(clique, tuple(_part(n, scopes[n], clique, sizes) for n in used)))
        number = len(factors) + len(steps) - 1
        for n in used:
            for v in scopes.pop(n):
                holding[v].discard(n)
        scopes[number] = tuple(others)
        for v in others:
            holding[v].add(number)
        for v in others:
            cost[v] = _cost(v, scopes, holding, sizes)
    return tuple(steps), tuple(scopes)


def _cost(
    variable: int, scopes: dict[int, Factor], holding: list[set[int]], sizes: tuple[int, ...]
) -> int:
    """Cells of the table that eliminating `variable` needs."""
    return prod(sizes[v] for v in {v for n in holding[variable] for v in scopes[n]})


def _part(table: int, scope: Factor, clique: Factor, sizes: tuple[int, ...]) -> Part:
    order = tuple(sorted(range(len(scope)), key=lambda i: clique.index(scope[i])))
    lacking = tuple(i for i, v in enumerate(clique) if v not in scope)
    shape = tuple(1 if i in lacking else sizes[v] for i, v in enumerate(clique))
    return Part(table, order, shape, lacking)


def _difference(above: np.ndarray, message: np.ndarray) -> np.ndarray:
    """above - message; infinite where no choice is left."""
    left = np.full(np.shape(message), np.inf)
    return np.subtract(above, message, out=left, where=np.isfinite(message))
