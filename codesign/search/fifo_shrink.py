"""Shrinking FIFOs step by step while the machine keeps its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from codesign.search.oracle import Oracle

Levels = Mapping[str, Sequence[int]]


class Shrinking:
    """Tokens of every FIFO, and which may take block RAM, a cycle slower; proven at any time.

    `extra` tells the cycles that a FIFO of so many tokens is slower by. The oracle must be in the
    steady state of `tokens` without them.
    """

    def __init__(
        self, oracle: Oracle, tokens: Mapping[str, int], extra: Callable[[str, int], int]
    ) -> None:
        self.oracle, self.tokens, self.extra = oracle, dict(tokens), extra
        self.slow: set[str] = set()

    def slow_down(self) -> None:
        """Block RAM where it is cheaper: all at once, else in halves."""
        slower = [n for n, tokens in self.tokens.items() if self.extra(n, tokens)]
        for _ in refused(slower, self._slows):
            pass

    def _slows(self, names: list[str]) -> bool:
        fifos = {n: (self.tokens[n], self.extra(n, self.tokens[n])) for n in names}
        holds = self.oracle.holds(fifos)
        self.slow.update(names if holds else ())
        return holds

    def take(self, changes: Mapping[str, int]) -> bool:
        """Change the tokens of these FIFOs, if the interval is kept."""
        slow = self.slow
        fifos = {n: (d, self.extra(n, d) if n in slow else 0) for n, d in changes.items()}
        holds = self.oracle.holds(fifos)
        self.tokens.update(changes if holds else {})
        return holds

    def to_the_bottom(self, levels: Levels) -> list[str]:
        """Each of these FIFOs, in flow order, to its lowest level: all at once, else in halves.

        Returns the names of those refused alone.
        """
        lowest = {name: steps[0] for name, steps in levels.items()}
        return list(refused(list(levels), lambda part: self.take({n: lowest[n] for n in part})))

    def step_by_step(self, name: str, levels: Sequence[int]) -> None:
        """FIFO `name` to the lowest level that holds with the others as they are; by bisection.

        The lowest is known not to.
        """
        low, high = 1, len(levels) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.take({name: levels[middle]}) else (middle + 1, high)


def refused(names: list[str], take: Callable[[list[str]], bool]) -> Iterator[str]:
    """Offer all names to `take`, then halves of what it refuses; yield those refused alone."""
    groups = [names] if names else []
    while groups:
        group = groups.pop(0)
        if take(group):
            continue
        if len(group) == 1:
            yield group[0]
        else:
            half = len(group) // 2
            groups += [group[:half], group[half:]]
