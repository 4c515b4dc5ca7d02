"""What the streams behind a process of fixed schedule must hold together: one sum for thousands of cuts.

Behind such a process come some that only pass tokens on, or take words apart, one after another. They
never hold more than their FIFOs, nor are they faster than the words' parts on their way through one
FIFO as large as all of these. So where that one, in a machine without them, is too slow with less than
`least` slots, the FIFOs need as many together, each counted in tokens of the last.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace

import numpy as np

from codesign.program import Process, Read, Segment
from codesign.search.fifo_master import Sum
from codesign.search.fifo_parts import AMPLE_FRAMES, Parts
from codesign.search.fifo_split import paced_writes, write_times
from codesign.sim.machine import Channel, Machine


def sum_of(parts: Parts) -> Sum | None:
    """The sum for the streams behind the first process of `parts`; None where there is none."""
    first, interval = parts.machine.processes[parts.order[0]], parts.interval_cycles
    chain, worth = _passed_on(parts)
    if first.interval_cycles != interval or len(chain) < 2:
        return None
    gaps = _gaps(first, worth[0], interval)
    if gaps.min() < 1:
        return None
    machine, last = _merged(parts.machine, chain, gaps), chain[-1].name
    streams = parts.streams.intersection(c.name for c in machine.channels)
    alone = Parts(machine, streams, interval, parts.budget)
    most = range(1, AMPLE_FRAMES * len(gaps))
    least = 1 + bisect_left(most, True, key=lambda depth: not alone.fail({last: depth}))
    return Sum({c.name: n for c, n in zip(chain, worth, strict=True)}, least)


def _passed_on(parts: Parts) -> tuple[list[Channel], list[int]]:
    """Streams behind the first process up to one whose reader does more than take words apart; what
    a token of each is worth in tokens of the last."""
    into, out = ({}, {})
    for c in parts.machine.channels:
        into.setdefault(c.target, []).append(c)
        out.setdefault(c.source, []).append(c)
    chain, ratios, name = [], [], parts.order[0]
    while len(out.get(name, ())) == 1 and out[name][0].name in parts.streams:
        chain.append(out[name][0])
        name = chain[-1].target
        ratio = _parts_of_a_word(parts.machine.processes[name]) if len(into[name]) == 1 else 0
        if not ratio or name == parts.order[-1]:
            break
        ratios.append(ratio)
    parts_of_word = np.cumprod([1, *reversed(ratios[: len(chain) - 1])])[::-1]
    return chain, parts_of_word.tolist()


def _parts_of_a_word(process: Process) -> int:
    """Tokens that a process makes of each one it reads, an event each; 0 for one that does more."""
    segments = [s for lp in process.loops for s in lp.segments]
    ratios = {_ratio(s) for s in segments}
    return ratios.pop() if len(ratios) == 1 else 0


def _ratio(segment: Segment) -> int:
    if len(segment.reads) != 1 or len(segment.writes) != 1:
        return 0
    (read,) = segment.reads
    return {
        Read(read.port): 1,
        Read(read.port, release=0, release_last=1): segment.count,
    }.get(read, 0)


def _gaps(process: Process, parts: int, interval_cycles: int) -> np.ndarray:
    """Cycles before each of so many parts of every word written, a cycle after each other at least."""
    words = write_times(process)
    times = np.repeat(words, parts) + np.tile(np.arange(parts), len(words))
    order = np.arange(len(times))
    times = np.maximum.accumulate(times - order) + order
    return np.diff(times, prepend=times[-1] - interval_cycles)


def _merged(machine: Machine, chain: list[Channel], gaps: np.ndarray) -> Machine:
    """`machine` with the last of the chain's channels alone, written to at these distances."""
    gone = {c.source for c in chain}
    last, latency = chain[-1], sum(c.forward_latency_cycles for c in chain)
    source = Process(chain[0].source, (paced_writes(gaps, last.source_port),))
    first = replace(last, source=source.name, forward_latency_cycles=latency)
    rest = {n: p for n, p in machine.processes.items() if n not in gone}
    kept = (c for c in machine.channels if c.source not in gone)
    return Machine({source.name: source, **rest}, (first, *kept))
