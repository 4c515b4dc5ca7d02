"""A naive stepper of the same laws, cycle by cycle, one Python object per process and channel.

Written from the words of the law of the stream alone; it shares nothing with the engine and is
slow. Tests and the benchmark use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from codesign.errors import InvariantBroken
from codesign.program import Process, Read
from codesign.sim.machine import Channel, Machine


@dataclass
class Fifo:
    """One channel: write and release cycle of every token so far."""

    law: Channel
    writes: list[int] = field(default_factory=list)
    releases: list[int] = field(default_factory=list)

    def readable(self, token: int, now: int) -> bool:
        """A token written in cycle t can be read from cycle t + FL on."""
        visible = self.law.forward_latency_cycles
        return token < len(self.writes) and self.writes[token] + visible <= now

    def space(self, now: int) -> bool:
        """A slot released in cycle t can be written from cycle t + 1 on."""
        token = len(self.writes) - self.law.depth
        return token < 0 or (token < len(self.releases) and self.releases[token] < now)


@dataclass(frozen=True)
class Event:
    """What one event needs and does: (fifo, tokens ahead, tokens released) and fifos written."""

    gap: int
    reads: tuple[tuple[Fifo, int, int], ...]
    writes: tuple[Fifo, ...]


def events_of(process: Process, ports: dict[str, Fifo], frames: int) -> Iterator[Event]:
    """All events of `process` over `frames` frames, one by one."""
    for _ in range(frames):
        for loop in process.loops:
            for _ in range(loop.repeat):
                for segment in loop.segments:
                    for i in range(segment.count):
                        first = i == 0 and segment.first_gap is not None
                        last = i == segment.count - 1
                        yield Event(
                            segment.first_gap if first else segment.gap,
                            tuple((ports[r.port], *_take(r, i, last)) for r in segment.reads),
                            tuple(ports[port] for port in segment.writes),
                        )


def _take(read: Read, i: int, last: bool) -> tuple[int, int]:
    """(tokens ahead, tokens released) of event `i`."""
    return read.offset + i * read.step, read.release + (read.release_last if last else 0)


class Sequencer:
    """One process on its way through its events."""

    def __init__(self, events: Iterator[Event]) -> None:
        self.events = events
        self.event = next(events, None)
        self.fired = -1  # reset counts as an event in cycle -1

    def can_fire(self, now: int) -> bool:
        """True when the gap has passed, every input is readable and every output has space."""
        event = self.event
        if event is None or now < self.fired + event.gap:
            return False
        for fifo, ahead, _ in event.reads:
            if not fifo.readable(len(fifo.releases) + ahead, now):
                return False
        return all(fifo.space(now) for fifo in event.writes)

    def fire(self, now: int) -> None:
        """Do the event: all its reads and writes happen in cycle `now`."""
        for fifo, _, released in self.event.reads:
            if released and not fifo.readable(len(fifo.releases) + released - 1, now):
                raise InvariantBroken(f"{fifo.law.name}: released a token before it arrived")
            fifo.releases.extend([now] * released)
        for fifo in self.event.writes:
            fifo.writes.append(now)
        self.fired, self.event = now, next(self.events, None)


@dataclass(frozen=True)
class Stepped:
    """What a run came to: fifos by name, cycles stepped, and whether every process ended."""

    fifos: dict[str, Fifo]
    cycles: int
    finished: bool


def step(machine: Machine, frames: int, max_cycles: int | None = None) -> Stepped:
    """Run `frames` frames, or until nothing can ever fire again, or `max_cycles` cycles."""
    fifos = {channel.name: Fifo(channel) for channel in machine.channels}
    sequencers = []
    for name, process in machine.processes.items():
        inputs = {c.target_port: fifos[c.name] for c in machine.channels if c.target == name}
        outputs = {c.source_port: fifos[c.name] for c in machine.channels if c.source == name}
        sequencers.append(Sequencer(events_of(process, inputs | outputs, frames)))
    now = idle = 0
    patience = _longest_wait(machine)
    while idle <= patience and any(s.event for s in sequencers) and now != max_cycles:
        firing = [s for s in sequencers if s.can_fire(now)]
        for sequencer in firing:
            sequencer.fire(now)
        idle = 0 if firing else idle + 1
        now += 1
    return Stepped(fifos, now, not any(s.event for s in sequencers))


def _longest_wait(machine: Machine) -> int:
    """No machine that still lives is idle for longer than this many cycles."""
    segments = [s for p in machine.processes.values() for lp in p.loops for s in lp.segments]
    gap = max(max(s.gap, s.first_gap or 0) for s in segments)
    return gap + max(c.forward_latency_cycles for c in machine.channels) + 1
