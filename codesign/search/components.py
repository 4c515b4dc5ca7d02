"""Points of a graph that lie on common cycles (Tarjan, SIAM J. Comput. 1 (1972), without recursion)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def components(behind: Sequence[Sequence[int]]) -> list[list[int]]:
    """All points in groups, each ascending: two are in one where each reaches the other.

    `behind[p]` holds the points that an edge leads to from p.
    """
    search = _Search(behind)
    for point in range(len(behind)):
        if not search.number[point]:
            search.visit(point)
    return search.found


class _Search:
    """Points get numbers as they are reached; `low` is the least number that a point leads back to."""

    def __init__(self, behind: Sequence[Sequence[int]]) -> None:
        self.behind, self.reached = behind, 0
        self.number, self.low = [0] * len(behind), [0] * len(behind)
        self.open: list[int] = []
        self.way: list[tuple[int, Iterator[int]]] = []
        self.found: list[list[int]] = []
        self.closed: set[int] = set()

    def visit(self, first: int) -> None:
        """All points that `first` leads to."""
        self._enter(first)
        while self.way:
            point, edges = self.way[-1]
            for other in edges:
                if not self.number[other]:
                    self._enter(other)
                    break
                if other not in self.closed:
                    self.low[point] = min(self.low[point], self.number[other])
            else:
                self._leave(point)

    def _enter(self, point: int) -> None:
        self.reached += 1
        self.number[point] = self.low[point] = self.reached
        self.open.append(point)
        self.way.append((point, iter(self.behind[point])))

    def _leave(self, point: int) -> None:
        """`point` and all above it are a group where it leads back to none before it."""
        self.way.pop()
        if self.way:
            before = self.way[-1][0]
            self.low[before] = min(self.low[before], self.low[point])
        if self.low[point] == self.number[point]:
            group = [self.open.pop()]
            while group[-1] != point:
                group.append(self.open.pop())
            self.closed.update(group)
            self.found.append(sorted(group))
