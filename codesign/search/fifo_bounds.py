"""Depths below which no FIFO can go, whatever the others are.

The machine around one stream, with every constraint left out that does not lie on a cycle through
it: the processes between its two ends, all other streams with ample room, nothing before and behind.
Leaving constraints out never makes a machine slower. So where what is left stops, or is proven to
take longer than the interval, every design with that depth does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from codesign.program import Process
from codesign.search.oracle import Budget
from codesign.sim.encode import Code, encode
from codesign.sim.engine import advance, start
from codesign.sim.machine import Channel, Machine
from codesign.sim.steady import PeriodFinder

# Frames that another stream may hold: bounds hold for all designs whose streams hold no more.
AMPLE_FRAMES = 2
# Frames to wait for a certificate; without one nothing is proven.
MOST_FRAMES = 8


class Around:
    """What surrounds stream `name` of `machine`; `streams` are those with a free choice of depth."""

    def __init__(self, machine: Machine, name: str, streams: Iterable[str], budget: Budget) -> None:
        self.name, self.budget = name, budget
        part = _part(machine, name, set(streams))
        code = encode(part)
        roomy = code.depth + AMPLE_FRAMES * code.tokens_per_frame + code.latency
        free = [c.name in streams for c in part.channels]
        code.depth[free] = roomy[free]
        self.code, self.index = code, [c.name for c in part.channels].index(name)
        self.events = sum(p.events_per_frame for p in part.processes.values())

    def bound(self, depths: Sequence[int], interval_cycles: int) -> int:
        """Index of the least of ascending `depths` that is not proven to be too little.

        The last one is taken to be enough.
        """
        low, high = 0, len(depths) - 1
        while low < high:
            middle = (low + high) // 2
            if self._fails(depths[middle], interval_cycles):
                low = middle + 1
            else:
                high = middle
        return low

    def _fails(self, depth: int, interval_cycles: int) -> bool:
        """True when `depth` is proven to stop the part, or to make it too slow."""
        code = self._with(depth)
        state, finder = start(code), PeriodFinder()
        for frame in range(1, MOST_FRAMES + 1):
            if not self.budget.spend(self.events):
                return False
            if not advance(code, state, frame):
                return True
            period = finder.look(code, state)
            if period is not None:
                return period.interval_cycles > interval_cycles
        return False

    def _with(self, depth: int) -> Code:
        depths = self.code.depth.copy()
        depths[self.index] = depth
        return self.code._replace(depth=depths)


def _part(machine: Machine, name: str, streams: set[str]) -> Machine:
    """The processes on cycles through stream `name`, and the channels between them."""
    forward, backward = defaultdict(set), defaultdict(set)
    for c in machine.channels:
        # A channel of fixed depth lets its reader hold back its writer, too.
        for source, target in _edges(c, c.name in streams):
            forward[source].add(target)
            backward[target].add(source)
    (stream,) = (c for c in machine.channels if c.name == name)
    kept = _reached(stream.source, forward) & _reached(stream.target, backward)
    kept |= {stream.source, stream.target}
    channels = tuple(c for c in machine.channels if c.source in kept and c.target in kept)
    ports = {end for c in channels for end in _ends(c)}
    processes = {n: _only(p, n, ports) for n, p in machine.processes.items() if n in kept}
    return Machine(processes, channels)


def _edges(channel: Channel, free: bool) -> tuple[tuple[str, str], ...]:
    there = channel.source, channel.target
    return (there,) if free else (there, there[::-1])


def _ends(channel: Channel) -> tuple[tuple[str, str], tuple[str, str]]:
    return (channel.source, channel.source_port), (channel.target, channel.target_port)


def _reached(start: str, edges: dict[str, set[str]]) -> set[str]:
    found, todo = {start}, [start]
    while todo:
        new = edges[todo.pop()] - found
        found |= new
        todo += new
    return found


def _only(process: Process, name: str, ports: set[tuple[str, str]]) -> Process:
    """`process` with its events, but only these of its ports."""

    def segment(s):
        reads = tuple(read for read in s.reads if (name, read.port) in ports)
        writes = tuple(port for port in s.writes if (name, port) in ports)
        return replace(s, reads=reads, writes=writes)

    loops = (replace(lp, segments=tuple(map(segment, lp.segments))) for lp in process.loops)
    return replace(process, loops=tuple(loops))
