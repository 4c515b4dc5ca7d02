"""What streams one behind the other must hold together: one sum for thousands of cuts.

Between two processes words are often only passed on, taken apart or put together, a FIFO before and
behind each such step. All these FIFOs never hold more than their words, nor pass them on sooner, than
one as large as all of them would. So where a machine with that one in their place is too slow, it is
so with all FIFOs that hold no more together.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd, lcm

import numpy as np

from codesign.program import Loop, Process, Read, Segment
from codesign.search.fifo_master import Cut
from codesign.search.fifo_parts import AMPLE_FRAMES, Parts
from codesign.search.fifo_split import Run
from codesign.sim.machine import Channel, Machine


@dataclass(frozen=True)
class Chain:
    """Streams one behind the other; a token of each is `worth` so many units, as many as make a
    whole number of each other's. `inside` units at most are in no stream on their way."""

    channels: tuple[Channel, ...]
    worth: tuple[int, ...]
    inside: int

    @property
    def streams(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(c.name for c in self.channels)

    @property
    def between(self) -> tuple[str, ...]:
        """The processes that pass tokens on."""
        return tuple(c.source for c in self.channels[1:])


def sums_of(parts: Parts, run: Run, chain: Chain, others: Mapping[str, int]) -> Iterator[Cut]:
    """What the chain's streams come to at least where other streams have no more slots than `others`
    and `run` is to keep the interval, if that says anything."""
    machine = _merged(parts.machine, chain)
    if machine is None:
        return
    first, worth = chain.channels[0], dict(zip(chain.streams, chain.worth, strict=True))
    streams = parts.streams.intersection(c.name for c in machine.channels)
    alone = Parts(machine, streams, parts.interval_cycles, parts.budget)
    rest = tuple(name for name in run if name not in chain.between)
    words = range(1, AMPLE_FRAMES * _tokens(machine, first))
    slow = bisect_left(words, True, key=lambda n: not alone.fail({**others, first.name: n}, rest))
    least = slow * chain.worth[0] + 1 - chain.inside
    if least > sum(chain.worth):
        yield Cut({name: depth + 1 for name, depth in others.items()}, worth, least)


def chains(machine: Machine, names: Mapping[str, int]) -> Iterator[Chain]:
    """The longest chains among streams `names`, of two or more."""
    into, out = ({}, {})
    for c in machine.channels:
        into.setdefault(c.target, []).append(c)
        out.setdefault(c.source, []).append(c)
    behind = {
        before[0].name: out[name][0]
        for name, before in into.items()
        if len(before) == 1 == len(out.get(name, ())) and _passes_on(machine.processes[name])
    }
    behind = {n: c for n, c in behind.items() if n in names and c.name in names}
    inner = {c.name for c in behind.values()}
    for c in (c for c in machine.channels if c.name in behind and c.name not in inner):
        row = [c]
        while row[-1].name in behind:
            row.append(behind[row[-1].name])
        yield _chain(machine, row)


def _chain(machine: Machine, row: Sequence[Channel]) -> Chain:
    tokens = [_tokens(machine, c) for c in row]
    worth = [lcm(*tokens) // n for n in tokens]
    put_together = (max(0, b - a) for a, b in pairwise(worth))
    return Chain(tuple(row), tuple(worth), sum(put_together))


def _tokens(machine: Machine, channel: Channel) -> int:
    """Tokens of a frame."""
    return machine.processes[channel.source].tokens_written(channel.source_port)


def _passes_on(process: Process) -> bool:
    """Whether each event that writes reads as well: words one by one, in equal parts, or some together."""
    if len(process.loops) != 1:
        return False
    *gathered, last = process.loops[0].segments
    if len(last.reads) != 1 or len(last.writes) != 1 or any(s.writes for s in gathered):
        return False
    (read,) = last.reads
    if gathered:
        alike = all(s.reads == last.reads for s in gathered)
        return alike and last.count == 1 and read == _plain(read)
    return read in (_plain(read), replace(_plain(read), release=0, release_last=1))


def _plain(read: Read) -> Read:
    """One token after the other."""
    return Read(read.port)


def _merged(machine: Machine, chain: Chain) -> Machine | None:
    """`machine` with one channel of the first one's words in the place of the chain; None where its
    reader cannot take them."""
    first, last = chain.channels[0], chain.channels[-1]
    reader = _taking(
        machine.processes[last.target], last.target_port, chain.worth[0], chain.worth[-1]
    )
    if reader is None:
        return None
    gone = set(chain.between)
    processes = {n: p for n, p in machine.processes.items() if n not in gone}
    latency = sum(c.forward_latency_cycles for c in chain.channels)
    one = replace(
        first, target=last.target, target_port=last.target_port, forward_latency_cycles=latency
    )
    kept = (c for c in machine.channels if c not in chain.channels)
    return Machine(processes | {last.target: reader}, (*kept, one))


def _taking(process: Process, port: str, given: int, taken: int) -> Process | None:
    """`process` reading words of `given` units at `port` where it read one after the other of `taken`."""
    if any(r != _plain(r) for lp in process.loops for s in lp.segments for r in s.reads):
        return None
    loops = [_loop_taking(lp, port, given, taken) for lp in process.loops]
    return None if None in loops else replace(process, loops=tuple(loops))


def _loop_taking(loop: Loop, port: str, given: int, taken: int) -> Loop | None:
    """None where a turn of the loop ends inside a word."""
    segments, units = [], 0
    loop = _turned(loop, given // gcd(given, taken))
    for s in loop.segments:
        if Read(port) in s.reads:
            segments += _pieces(s, port, units + taken * np.arange(s.count), given, taken)
            units += s.count * taken
        else:
            segments.append(s)
    return None if units % given else Loop(loop.repeat, tuple(segments))


def _turned(loop: Loop, events: int) -> Loop:
    """A loop of equal events, so many to a turn where that comes out even."""
    s = loop.segments[0]
    if len(loop.segments) > 1 or s.first_gap or s.count % events:
        return loop
    return Loop(loop.repeat * s.count // events, (replace(s, count=events),))


def _pieces(s: Segment, port: str, units: np.ndarray, given: int, taken: int) -> Iterator[Segment]:
    """`s` in pieces of equal events; `units` were read before each."""
    done = units // given
    ahead, release = (units + taken - 1) // given - done, (units + taken) // given - done
    changes = np.flatnonzero(np.diff(ahead) | np.diff(release)) + 1
    for first, end in pairwise([0, *changes.tolist(), s.count]):
        word = Read(port, int(ahead[first]), release=int(release[first]))
        reads = tuple(word if r.port == port else r for r in s.reads)
        yield replace(s, count=end - first, reads=reads, first_gap=None if first else s.first_gap)
