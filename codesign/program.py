"""The event program of a block: the law of the stream, as data that model and hardware share.

A block is one or a few processes; a process is a fixed cyclic list of events, at most one event
a cycle, in strict order. An event reads at most one token from each input, writes at most one to
each output, and fires in the first cycle in which every input it needs is readable, every output
it writes has space, and `gap` cycles have passed since the event before:

    T[e] = max( T[e-1] + gap(e),
                W[c, token read by e] + fl_c          for each input channel c,
                R[c, j - depth_c] + 1                 for each output channel c, j the token written )

Programs are stored by run length: a process is a list of loops, a loop repeats a list of segments,
a segment is `count` equal events.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Read:
    """What every event of a segment takes from one input.

    The event number i of the segment needs the token `offset + i*step` places after the first
    token not yet released, then releases `release` tokens (0 = only a peek); the last event of the
    segment releases `release_last` more.
    """

    port: str
    offset: int = 0
    step: int = 0
    release: int = 1
    release_last: int = 0


@dataclass(frozen=True)
class Segment:
    """`count` equal events; `gap` is the least distance in cycles to the event before (>= 1).

    `first_gap` (default: `gap`) is that distance for the first event of the segment.
    """

    count: int
    reads: tuple[Read, ...] = ()
    writes: tuple[str, ...] = ()
    gap: int = 1
    first_gap: int | None = None


@dataclass(frozen=True)
class Loop:
    """`segments` in order, `repeat` times."""

    repeat: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class Process:
    """One sequencer; `loops` is the program of ONE frame and repeats for ever.

    `latency_cycles` (L) is the number of pipeline stages between the issue of an event and its
    data: the output channels of the process get forward latency 1 + L.
    """

    name: str
    loops: tuple[Loop, ...]
    latency_cycles: int = 0

    @property
    def events_per_frame(self) -> int:
        """Number of events in one frame."""
        return sum(lp.repeat * sum(s.count for s in lp.segments) for lp in self.loops)

    def tokens_written(self, port: str) -> int:
        """Tokens that a frame writes to `port`."""
        return sum(
            lp.repeat * s.count for lp in self.loops for s in lp.segments if port in s.writes
        )

    @property
    def interval_cycles(self) -> int:
        """Cycles between the same event of two frames when nothing makes the process wait."""
        return sum(
            lp.repeat * sum((s.count - 1) * s.gap + (s.first_gap or s.gap) for s in lp.segments)
            for lp in self.loops
        )


@dataclass(frozen=True)
class InnerChannel:
    """A channel between two processes of one block, for instance a line buffer (depth in tokens)."""

    name: str
    source: str
    target: str
    depth: int
    forward_latency_cycles: int = 1


@dataclass(frozen=True)
class Program:
    """All processes of a block; a port name that is no inner channel is a port of the block.

    Block ports are named "in0", "in1", ... and "out0", "out1", ...
    """

    processes: tuple[Process, ...]
    channels: tuple[InnerChannel, ...] = ()

    @property
    def interval_cycles(self) -> int:
        """Cycles per frame of the slowest process: a lower bound of the block's interval."""
        return max(p.interval_cycles for p in self.processes)


def simple(name: str, *segments: Segment, repeat: int = 1, latency_cycles: int = 0) -> Program:
    """A program of one process that repeats `segments` `repeat` times per frame."""
    return Program((Process(name, (Loop(repeat, segments),), latency_cycles),))
