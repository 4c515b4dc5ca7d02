"""A machine as integer arrays, checked; the form that the engine runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from codesign.errors import InvariantBroken
from codesign.program import Process, Read, Segment
from codesign.sim.machine import Channel, Machine, ports_of


class Code(NamedTuple):
    """All int64. `x_lo` arrays have one entry more than there are owners: owner i has its
    x in [x_lo[i], x_lo[i + 1])."""

    # processes -> loops -> segments -> reads, writes
    loop_lo: np.ndarray
    repeat: np.ndarray
    segment_lo: np.ndarray
    count: np.ndarray
    gap: np.ndarray
    first_gap: np.ndarray
    read_lo: np.ndarray
    read_channel: np.ndarray
    offset: np.ndarray
    step: np.ndarray
    release: np.ndarray
    release_last: np.ndarray
    write_lo: np.ndarray
    write_channel: np.ndarray
    # channels
    source: np.ndarray
    target: np.ndarray
    depth: np.ndarray
    latency: np.ndarray
    tokens_per_frame: np.ndarray
    # channels at each process
    touch_lo: np.ndarray
    touch: np.ndarray


def encode(machine: Machine) -> Code:
    """Integer form of `machine`; raises InvariantBroken when it breaks a law of program.py."""
    index = {name: i for i, name in enumerate(machine.processes)}
    ends = _ends(machine, index)
    for name, process in machine.processes.items():
        _check_process(name, process, ends)
    rows = [
        (name, loop, segment)
        for name, process in machine.processes.items()
        for loop in process.loops
        for segment in loop.segments
    ]
    loops = [loop for process in machine.processes.values() for loop in process.loops]
    reads = [(name, read) for name, _, segment in rows for read in segment.reads]
    writes = [ends[name, port] for name, _, segment in rows for port in segment.writes]
    touch = [[] for _ in index]
    for c, channel in enumerate(machine.channels):
        touch[index[channel.source]].append(c)
        touch[index[channel.target]].append(c)
    return Code(
        loop_lo=_starts(len(p.loops) for p in machine.processes.values()),
        repeat=_ints(loop.repeat for loop in loops),
        segment_lo=_starts(len(loop.segments) for loop in loops),
        count=_ints(s.count for *_, s in rows),
        gap=_ints(s.gap for *_, s in rows),
        first_gap=_ints(s.first_gap or s.gap for *_, s in rows),
        read_lo=_starts(len(s.reads) for *_, s in rows),
        read_channel=_ints(ends[name, read.port] for name, read in reads),
        offset=_ints(read.offset for _, read in reads),
        step=_ints(read.step for _, read in reads),
        release=_ints(read.release for _, read in reads),
        release_last=_ints(read.release_last for _, read in reads),
        write_lo=_starts(len(s.writes) for *_, s in rows),
        write_channel=_ints(writes),
        source=_ints(index[c.source] for c in machine.channels),
        target=_ints(index[c.target] for c in machine.channels),
        depth=_ints(c.depth for c in machine.channels),
        latency=_ints(c.forward_latency_cycles for c in machine.channels),
        tokens_per_frame=_ints(_tokens_per_frame(c, machine) for c in machine.channels),
        touch_lo=_starts(len(t) for t in touch),
        touch=_ints(c for t in touch for c in t),
    )


def _ints(values: object) -> np.ndarray:
    return np.array(list(values), dtype=np.int64)


def _starts(lengths: object) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(_ints(lengths))]).astype(np.int64)


def _ends(machine: Machine, index: dict[str, int]) -> dict[tuple[str, str], int]:
    """Channel of each (process, port)."""
    ends: dict[tuple[str, str], int] = {}
    for c, channel in enumerate(machine.channels):
        _require(channel.depth >= 1, channel.name, "depth", "at least 1", channel.depth)
        latency = channel.forward_latency_cycles
        _require(latency >= 1, channel.name, "forward latency", "at least 1", latency)
        for end in ((channel.source, channel.source_port), (channel.target, channel.target_port)):
            _require(end[0] in index, channel.name, "each end", "a process of the machine", end[0])
            _require(end not in ends, channel.name, "each port", "at one channel only", end)
            ends[end] = c
    return ends


def _check_process(name: str, process: Process, ends: dict[tuple[str, str], int]) -> None:
    """The laws of one program: positive counts and gaps, ports connected, looks not behind."""
    for port in ports_of(process):
        _require((name, port) in ends, name, f"port {port}", "connected", "no channel")
    _require(process.events_per_frame > 0, name, "events per frame", "at least 1", 0)
    for loop in process.loops:
        _require(loop.repeat >= 1, name, "repeat", "at least 1", loop.repeat)
        for segment in loop.segments:
            if not _is_lawful(segment):
                _check_segment(name, segment)


def _is_lawful(s: Segment) -> bool:
    """The laws of `_check_segment`, quickly: machines have thousands of segments."""
    ports = [read.port for read in s.reads] if len(s.reads) > 1 else ()
    return (
        s.count >= 1
        and s.gap >= 1
        and (s.first_gap or 1) >= 1
        and len(set(ports)) == len(ports)
        and (len(s.writes) <= 1 or len(set(s.writes)) == len(s.writes))
        and all(r.offset >= 0 and r.offset + (s.count - 1) * r.step >= 0 for r in s.reads)
    )


def _check_segment(name: str, s: Segment) -> None:
    """Raise for the law that segment `s` breaks."""
    _require(s.count >= 1, name, "count", "at least 1", s.count)
    least = min(s.gap, s.first_gap or s.gap)
    _require(least >= 1, name, "gap", "at least 1", least)
    ports = [read.port for read in s.reads]
    _require(len(set(ports)) == len(ports), name, "reads of an event", "distinct", ports)
    _require(len(set(s.writes)) == len(s.writes), name, "writes", "distinct", s.writes)
    for read in s.reads:
        nearest = min(read.offset, read.offset + (s.count - 1) * read.step)
        _require(nearest >= 0, name, f"look at {read.port}", "not behind", nearest)


def _tokens_per_frame(channel: Channel, machine: Machine) -> int:
    """Tokens written per frame; they must equal the tokens released."""
    written = machine.processes[channel.source].tokens_written(channel.source_port)
    released = sum(
        repeat * (s.count * read.release + read.release_last)
        for repeat, s, read in _reads(machine.processes[channel.target])
        if read.port == channel.target_port
    )
    rule = f"equal to the tokens written ({written})"
    _require(written == released, channel.name, "tokens released per frame", rule, released)
    return written


def _segments(process: Process) -> Iterator[tuple[int, Segment]]:
    return ((loop.repeat, s) for loop in process.loops for s in loop.segments)


def _reads(process: Process) -> Iterator[tuple[int, Segment, Read]]:
    return ((repeat, s, read) for repeat, s in _segments(process) for read in s.reads)


def _require(holds: bool, where: str, what: str, rule: str, found: object) -> None:
    if not holds:
        raise InvariantBroken(
            f"{where}: {what} must be {rule}, found {found}", where=where, what=what, found=found
        )
