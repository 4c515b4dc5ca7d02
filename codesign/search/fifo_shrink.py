"""Shrinking FIFOs step by step while the machine keeps its interval."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from codesign.search.oracle import Oracle

# Tokens of a FIFO beside the latency of its style, and that latency in cycles.
Held = tuple[int, int]


class Shrinking:
    """What every FIFO holds; proven at any time.

    The oracle must be in the steady state of these FIFOs.
    """

    def __init__(self, oracle: Oracle, held: Mapping[str, Held]) -> None:
        self.oracle, self.held = oracle, dict(held)

    def take(self, changes: Mapping[str, Held]) -> bool:
        """Change these FIFOs, if the interval is kept."""
        holds = self.oracle.holds(changes)
        self.held.update(changes if holds else {})
        return holds

    def restyle(self, latency: Mapping[str, int]) -> set[str]:
        """Other latencies, all at once, else in halves; the names of those that are refused."""
        held = {n: (self.held[n][0], cycles) for n, cycles in latency.items()}
        return set(self.change({n: to for n, to in held.items() if to != self.held[n]}))

    def change(self, to: Mapping[str, Held]) -> Iterator[str]:
        """Change these FIFOs: all at once, else in halves, the first ones first; yields the names of
        those refused alone."""
        return refused(list(to), lambda part: self.take({n: to[n] for n in part}))

    def step_by_step(self, name: str, levels: Sequence[Held]) -> None:
        """FIFO `name` to the lowest level that holds with the others as they are.

        The lowest of all is known not to, the highest is what it has. Most hold a level or two from
        the lowest: steps double from there, and the last one is bisected.
        """
        low, high, last = 1, 1, len(levels) - 1
        while high < last and not self.take({name: levels[high]}):
            low, high = high + 1, min(2 * high, last)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.take({name: levels[middle]}) else (middle + 1, high)


def refused(names: list[str], take: Callable[[list[str]], bool]) -> Iterator[str]:
    """Offer all names to `take`, then halves of what it refuses; yield those refused alone."""
    if not names or take(names):
        return
    if len(names) == 1:
        yield names[0]
        return
    half = len(names) // 2
    yield from refused(names[:half], take)
    yield from refused(names[half:], take)
