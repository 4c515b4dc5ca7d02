"""Sections of a machine whose FIFOs can be sized one by one.

A process that takes the interval whole has no choice: in every schedule that keeps the interval its
events come at the same times of each frame, but for a shift of all. Where such a process is the only
way through the machine, what is before it and what is behind it ask nothing more of each other: FIFOs
keep the interval exactly when those of every section do. Where a join is the only way through, it is
given such a fixed schedule, that of a machine that keeps the interval; FIFOs found so still keep it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from codesign.program import Loop, Process, Read, Segment
from codesign.sim.machine import Channel, Machine, ports_of

# Processes in flow order.
Run = tuple[str, ...]

# The port at which a process that is watched tells of each event.
PROBE = "probe"


def sections(machine: Machine, interval_cycles: int) -> tuple[Machine, ...]:
    """`machine` cut at each process that takes the interval whole and is the only way through."""
    order = tuple(machine.processes)
    cuts = [
        i
        for i in _passes(machine)
        if machine.processes[order[i]].interval_cycles == interval_cycles
    ]
    ends = sorted({0, *cuts, len(order) - 1})
    return tuple(cut_out(machine, order[a : b + 1]) for a, b in pairwise(ends))


def joins(machine: Machine) -> Run:
    """Processes of several inputs that are the only way through."""
    order, inputs = tuple(machine.processes), [c.target for c in machine.channels]
    return tuple(order[i] for i in _passes(machine) if inputs.count(order[i]) > 1)


def _passes(machine: Machine) -> Iterator[int]:
    """Places in flow order that no channel jumps over."""
    place, reach = {name: i for i, name in enumerate(machine.processes)}, 0
    furthest = [0] * len(place)
    for c in machine.channels:
        source = place[c.source]
        furthest[source] = max(furthest[source], place[c.target])
    for i, far in enumerate(furthest):
        if reach <= i:
            yield i
        reach = max(reach, far)


def probed(machine: Machine, names: Run) -> Machine:
    """`machine` with a channel "NAME.probe" for each of `names` that gets a token at each of its events."""
    for name in names:
        machine = _probed(machine, name)
    return machine


def _probed(machine: Machine, name: str) -> Machine:
    process, watcher = machine.processes[name], probe_of(name)
    loops = tuple(
        Loop(lp.repeat, tuple(replace(s, writes=(*s.writes, PROBE)) for s in lp.segments))
        for lp in process.loops
    )
    events = process.events_per_frame
    reader = Process(watcher, (Loop(1, (Segment(events, (Read(PROBE),)),)),))
    channel = Channel(watcher, name, PROBE, watcher, PROBE, depth=events + 2)
    processes = {**machine.processes, name: replace(process, loops=loops), watcher: reader}
    return Machine(processes, (*machine.channels, channel))


def probe_of(name: str) -> str:
    """The channel that tells of the events of process `name`."""
    return f"{name}.{PROBE}"


def fixed_at(machine: Machine, times: Mapping[str, np.ndarray], interval_cycles: int) -> Machine:
    """`machine`, these processes keeping to these times of their events in a frame."""
    for name, of_events in times.items():
        process = _fixed(machine.processes[name], of_events, interval_cycles)
        machine = machine.with_process(name, process)
    return machine


def _fixed(process: Process, times: np.ndarray, interval_cycles: int) -> Process:
    """`process` with the distances between `times`, those of its events in a frame."""
    gaps = np.diff(times, prepend=times[-1] - interval_cycles)
    segments, at = [], 0
    for lp in process.loops:
        for s in lp.segments * lp.repeat:
            segments += _pieces(s, gaps[at : at + s.count])
            at += s.count
    return replace(process, loops=(Loop(1, tuple(segments)),))


def _pieces(segment: Segment, gaps: np.ndarray) -> Iterator[Segment]:
    """`segment` in pieces of equal gaps."""
    starts = np.flatnonzero(np.diff(gaps, prepend=-1)).tolist()
    for first, end in pairwise([*starts, len(gaps)]):
        reads = tuple(
            replace(
                r,
                offset=r.offset + first * r.step,
                release_last=r.release_last if end == len(gaps) else 0,
            )
            for r in segment.reads
        )
        gap = int(gaps[first])
        yield replace(segment, count=end - first, reads=reads, gap=gap, first_gap=gap)


def cut_out(machine: Machine, part: Run) -> Machine:
    """These processes and the channels between them."""
    kept = set(part)
    channels = tuple(c for c in machine.channels if c.source in kept and c.target in kept)
    ports = {(c.source, c.source_port) for c in channels}
    ports |= {(c.target, c.target_port) for c in channels}
    processes = {n: _only(machine.processes[n], n, ports) for n in part}
    return Machine(processes, channels)


def _only(process: Process, name: str, ports: set[tuple[str, str]]) -> Process:
    """`process` with its events, but only these of its ports."""
    if all((name, port) in ports for port in ports_of(process)):
        return process

    def segment(s):
        reads = tuple(read for read in s.reads if (name, read.port) in ports)
        writes = tuple(port for port in s.writes if (name, port) in ports)
        return replace(s, reads=reads, writes=writes)

    loops = (replace(lp, segments=tuple(map(segment, lp.segments))) for lp in process.loops)
    return replace(process, loops=tuple(loops))
