"""What FIFOs must hold together: of the streams of a part that is too slow, one must be deeper.

Parts are runs of processes in flow order, shorter ones first. A run that is too slow at the given
depths is reduced to a shortest one; then its streams are deepened as far as it stays too slow, those
first for which more costs least, so that what is left to choose is as dear as can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from codesign.search.fifo_master import Cut
from codesign.search.fifo_parts import Parts, Run
from codesign.search.fifo_sums import chains, sums_of

Depths = dict[str, int]

# Streams in a cut: with more of them it says next to nothing, and such cuts take longest to find.
MOST_STREAMS = 12


class Cuts:
    """Cuts of a machine's streams; `levels` are the slots of each that are worth telling apart,
    ascending, `bits` tells the memory of a stream with so many. Runs of more than `most_events` a
    frame are not looked at; `complete` says that there were none, nor any with too many streams."""

    def __init__(
        self,
        parts: Parts,
        levels: Mapping[str, Sequence[int]],
        bits: Callable[[str, int], int],
        most_events: int,
    ) -> None:
        self.parts, self.levels, self.bits, self.most_events = parts, levels, bits, most_events
        self.summed: set[object] = set()
        self.complete = True

    def least(self, name: str) -> int:
        """Slots below which stream `name` is too shallow whatever the others are."""
        levels = self.levels[name]
        place = _first(levels, lambda depth: not self.parts.fail({name: depth}))
        return levels[place - 1] + 1 if place else 1

    def found(self, depths: Depths) -> list[Cut]:
        """Cuts that `depths` (of all streams) violate, from the shortest runs that show any."""
        size = 2
        while size < 2 * len(self.parts.order):
            cuts: list[Cut] = []
            for run in self._failing(size, depths):
                slow = self._needed(run, depths)
                if len(slow) > MOST_STREAMS:
                    self.complete = False
                    return cuts
                cuts += self._cuts(run, slow)
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
        short = sum(self.parts.events[n] for n in run) <= self.most_events
        self.complete &= short
        return len(run) > 1 and short

    def _shortest(self, run: Run, depths: Depths) -> Run:
        """Without the processes at either end that do not matter."""
        first = _first(range(len(run) - 1), lambda n: not self.parts.fail(depths, run[n:]))
        run = run[first - 1 :] if first else run
        last = _first(range(2, len(run)), lambda n: self.parts.fail(depths, run[:n]))
        return run[: last + 2]

    def _needed(self, run: Run, depths: Depths) -> Depths:
        """Streams without which the run would not be too slow, those first for which more costs least."""
        names = sorted(self.parts.inside(run), key=lambda n: self._dearer(n, depths[n]))
        slow = {name: depths[name] for name in names}
        for name in names:
            others = {n: d for n, d in slow.items() if n != name}
            slow = others if others and self.parts.fail(others, run) else slow
        return slow

    def _cuts(self, run: Run, slow: Depths) -> Iterator[Cut]:
        """At least one stream of the run must be deeper than it stays too slow with; where some are a
        chain, what these must hold together."""
        for name in slow:
            slow = slow | {name: self._lifted(name, slow, run)}
        yield Cut({name: depth + 1 for name, depth in slow.items()})
        for chain in chains(self.parts.machine, slow):
            others = {n: d for n, d in slow.items() if n not in chain.streams}
            key = run, chain.streams, tuple(others.items())
            if key not in self.summed:
                self.summed.add(key)
                yield from sums_of(self.parts, run, chain, others)

    def _dearer(self, name: str, depth: int) -> int:
        """Bits that one slot more costs."""
        return self.bits(name, depth + 1) - self.bits(name, depth)

    def _lifted(self, name: str, slow: Depths, run: Run) -> int:
        """As deep as the stream may be while the run is too slow still."""
        deeper = [d for d in self.levels[name] if d > slow[name]]
        place = _first(deeper, lambda d: not self.parts.fail(slow | {name: d}, run))
        return deeper[place - 1] if place else slow[name]


def _first(values: Sequence[int], holds: Callable[[int], bool]) -> int:
    """Place of the first of ascending values for which `holds`, as it does from there on."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(values[middle]) else (middle + 1, high)
    return low
