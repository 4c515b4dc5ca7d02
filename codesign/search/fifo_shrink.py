"""Shrinking FIFOs step by step while the machine keeps its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from itertools import count

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

    def level_off(self, levels: Levels) -> None:
        """No FIFO deeper than the same power of two, or than its lowest level; by bisection."""
        most = max(steps[-1] for steps in levels.values()).bit_length()
        low, high = 0, most
        while low < high:
            middle = (low + high) // 2
            caps = {n: _capped(steps, 1 << middle) for n, steps in levels.items()}
            less = {n: d for n, d in caps.items() if d < self.tokens[n]}
            low, high = (low, middle) if self.take(less) else (middle + 1, high)

    def to_the_bottom(
        self, levels: Levels, saving: Callable[[str], int] = lambda _: 1
    ) -> Iterator[str]:
        """Each of these FIFOs, in flow order, to its lowest level: all at once, else in halves,
        first the part that saves most; yields the names of those refused alone."""
        lowest = {name: steps[0] for name, steps in levels.items()}

        def take(part: list[str]) -> bool:
            return self.take({name: lowest[name] for name in part})

        return refused(list(levels), take, saving)

    def step_by_step(self, name: str, levels: Sequence[int]) -> None:
        """FIFO `name` to the lowest level that holds with the others as they are; by bisection.

        The lowest is known not to.
        """
        low, high = 1, len(levels) - 1
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.take({name: levels[middle]}) else (middle + 1, high)


def _capped(levels: Sequence[int], tokens: int) -> int:
    """The highest level of at most `tokens`, or the lowest there is."""
    return max((n for n in levels if n <= tokens), default=levels[0])


def refused(
    names: list[str], take: Callable[[list[str]], bool], weight: Callable[[str], int] = lambda _: 1
) -> Iterator[str]:
    """Offer all names to `take`, then halves of what it refuses; yield those refused alone.

    Of the parts that are left the heaviest comes first.
    """
    parts = [(-sum(map(weight, names)), 0, names)] if names else []
    for number in count(1):
        if not parts:
            return
        _, _, part = heappop(parts)
        if take(part):
            continue
        if len(part) == 1:
            yield part[0]
            continue
        half = len(part) // 2
        for side, group in enumerate((part[:half], part[half:])):
            heappush(parts, (-sum(map(weight, group)), 2 * number + side, group))
