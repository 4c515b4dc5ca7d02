"""One width for every quantiser, by one integer linear program: least cost within all needs.

Binary x[i, b] choose width b for item i, sum_b x[i, b] = 1; the cost is sum cost[i][b] x[i, b]. A
need is linear in x, or in y[i, b, j, c] where it depends on two widths at once: sum_c y = x[i, b]
and sum_b y = x[j, c] make y their product. Solved to optimality by HiGHS (scipy.optimize.milp).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Pair = tuple[int, int]


@dataclass(frozen=True)
class Need:
    """base + sum of what the chosen widths add must be at most `limit`.

    `alone` holds (item, width -> amount), `together` ((item, item), (width, width) -> amount).
    """

    name: str
    limit: float
    base: float = 0.0
    alone: tuple[tuple[int, Mapping[int, float]], ...] = ()
    together: tuple[tuple[Pair, Mapping[Pair, float]], ...] = ()


def allocate(costs: Sequence[Mapping[int, float]], needs: Sequence[Need]) -> list[int] | None:
    """The width of each item; `costs` maps its possible widths to costs. None: no widths meet all."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    program = _Program(costs, needs)
    equal, right = program.equalities()
    limits, most = program.limits()
    constraints = [LinearConstraint(equal, right, right)]
    constraints += [LinearConstraint(limits, -np.inf, most)] if needs else []
    found = milp(
        program.costs(),
        constraints=constraints,
        integrality=program.is_choice,
        bounds=Bounds(0, 1),
    )
    return program.chosen(found.x) if found.x is not None else None


class _Program:
    """Columns of the program: first the x of every item, then the y of every pair."""

    def __init__(self, costs: Sequence[Mapping[int, float]], needs: Sequence[Need]) -> None:
        self.items, self.needs = costs, needs
        self.pairs = list(dict.fromkeys(pair for need in needs for pair, _ in need.together))
        keys: list[tuple] = [(i, b) for i, widths in enumerate(costs) for b in widths]
        self.choices = len(keys)
        keys += [(i, j, b, c) for i, j in self.pairs for b in costs[i] for c in costs[j]]
        self.column = {key: number for number, key in enumerate(keys)}
        self.is_choice = (np.arange(len(keys)) < self.choices).astype(int)

    def costs(self) -> np.ndarray:
        """What a choice costs; products cost nothing."""
        found = np.zeros(len(self.column))
        for i, widths in enumerate(self.items):
            for b, cost in widths.items():
                found[self.column[i, b]] = cost
        return found

    def equalities(self) -> tuple[np.ndarray, np.ndarray]:
        """One width each; the y of a pair sum up to the x of either side."""
        rows = [(self._row({(i, b): 1.0 for b in own}), 1.0) for i, own in enumerate(self.items)]
        rows += [(self._row(entries), 0.0) for entries in self._ties()]
        return np.array([row for row, _ in rows]), np.array([right for _, right in rows])

    def _ties(self) -> Iterator[dict[tuple, float]]:
        for i, j in self.pairs:
            for b in self.items[i]:
                yield {(i, j, b, c): 1.0 for c in self.items[j]} | {(i, b): -1.0}
            for c in self.items[j]:
                yield {(i, j, b, c): 1.0 for b in self.items[i]} | {(j, c): -1.0}

    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """A row for each need, scaled so that its limit is about 1."""
        rows, most = [], []
        for need in self.needs:
            entries: dict[tuple, float] = {}
            for i, amounts in need.alone:
                for b in self.items[i]:
                    entries[i, b] = entries.get((i, b), 0.0) + amounts[b]
            for (i, j), amounts in need.together:
                for b in self.items[i]:
                    for c in self.items[j]:
                        key = (i, j, b, c)
                        entries[key] = entries.get(key, 0.0) + amounts[b, c]
            scale = max(abs(need.limit), 1e-9)
            rows.append(self._row(entries) / scale)
            most.append((need.limit - need.base) / scale)
        return np.array(rows), np.array(most)

    def _row(self, entries: Mapping[tuple, float]) -> np.ndarray:
        row = np.zeros(len(self.column))
        for key, value in entries.items():
            row[self.column[key]] += value
        return row

    def chosen(self, x: np.ndarray) -> list[int]:
        """The width with the largest x of every item."""
        return [
            max(own, key=lambda b, i=i: x[self.column[i, b]]) for i, own in enumerate(self.items)
        ]
