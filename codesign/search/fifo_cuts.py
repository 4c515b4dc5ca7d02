"""What FIFOs must hold together: of the streams of a part that is too slow, one must be deeper.

Parts are runs of processes in flow order, shorter ones first. A run that is too slow at the given
depths is reduced to a shortest one; then its streams are deepened as far as it stays too slow, those
first for which more costs least, so that what is left to choose is as dear as can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from codesign.search.fifo_parts import Parts, Run

Depths = dict[str, int]


class Cuts:
    """Cuts of a machine's streams; `levels` are the slots of each that are worth telling apart,
    ascending, `bits` tells the memory of a stream with so many. Runs of more than `most_events` a
    frame are not looked at."""

    def __init__(
        self,
        parts: Parts,
        levels: Mapping[str, Sequence[int]],
        bits: Callable[[str, int], int],
        most_events: int,
    ) -> None:
        self.parts, self.levels, self.bits, self.most_events = parts, levels, bits, most_events

    def least(self, name: str) -> int:
        """Slots below which stream `name` is too shallow whatever the others are."""
        levels = self.levels[name]
        place = _first(levels, lambda depth: not self.parts.fail({name: depth}))
        return levels[place - 1] + 1 if place else 1

    def found(self, depths: Depths) -> list[Depths]:
        """Cuts that `depths` (of all streams) violate, from the shortest runs that show any."""
        size = 2
        while size < 2 * len(self.parts.order):
            cuts = [self._cut(run, depths) for run in self._failing(size, depths)]
            if cuts:
                return cuts
            size *= 2
        return []

    def _failing(self, size: int, depths: Depths) -> Iterator[Run]:
        """Shortest runs that are too slow, apart from each other."""
        order, end = self.parts.order, 0
        for first in range(0, max(1, len(order) - size // 2), max(1, size // 2)):
            run = order[max(first, end) : first + size]
            if self._looked_at(run) and self.parts.fail(depths, run):
                run = self._shortest(run, depths)
                end = order.index(run[-1])
                yield run

    def _looked_at(self, run: Run) -> bool:
        return len(run) > 1 and sum(self.parts.events[n] for n in run) <= self.most_events

    def _shortest(self, run: Run, depths: Depths) -> Run:
        """Without the processes at either end that do not matter."""
        first = _first(range(len(run) - 1), lambda n: not self.parts.fail(depths, run[n:]))
        run = run[first - 1 :] if first else run
        last = _first(range(2, len(run)), lambda n: self.parts.fail(depths, run[:n]))
        return run[: last + 2]

    def _cut(self, run: Run, depths: Depths) -> Depths:
        """At least one stream of the run must be deeper than it stays too slow with."""
        slow = {name: depths[name] for name in self.parts.inside(run)}
        for name in sorted(slow, key=lambda n: self._dearer(n, depths[n])):
            self._lift(name, slow, run)
        return {name: depth + 1 for name, depth in slow.items()}

    def _dearer(self, name: str, depth: int) -> int:
        """Bits that one slot more costs."""
        return self.bits(name, depth + 1) - self.bits(name, depth)

    def _lift(self, name: str, slow: Depths, run: Run) -> None:
        """Leave a stream out where it does not matter, else make it as deep as is too slow still."""
        others = {n: d for n, d in slow.items() if n != name}
        if others and self.parts.fail(others, run):
            del slow[name]
            return
        deeper = [d for d in self.levels[name] if d > slow[name]]
        place = _first(deeper, lambda d: not self.parts.fail(others | {name: d}, run))
        slow[name] = deeper[place - 1] if place else slow[name]


def _first(values: Sequence[int], holds: Callable[[int], bool]) -> int:
    """Place of the first of ascending values for which `holds`, as it does from there on."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(values[middle]) else (middle + 1, high)
    return low
