"""What a block adds to the latency at least, whatever stands around it: from its event program alone.

Times count from the block's first event. All bounds hold because waiting for tokens or for space only
delays an event, and every event of a process waits for those before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from codesign.program import InnerChannel, Loop, Process, Program, Segment


@dataclass(frozen=True)
class Delay:
    """Cycles of one block between a path's input and output; None where nothing can be said.

    `fill`: from its first event to the first token a reader can take, where the first event waits for
    the first token of the input. `last`: to its last token. `tail`: from the last token of its input,
    where its last token waits for that, to its own last token.
    """

    fill: int | None
    last: int
    tail: int | None


def delay_of(program: Program, port_in: str, port_out: str) -> Delay:
    """The delays between two ports of a block under its present folding."""
    chain = chain_of(program, port_in, port_out)
    if chain is None:
        return Delay(None, 0, None)
    processes, channels = chain
    ports = (port_in, *(c.name for c in channels), port_out)
    lags = lags_of(processes, channels)
    begun = all(_begins_with(p, port) for p, port in zip(processes, ports, strict=False))
    # The token of the next process that its first event waits for.
    wanted = [_first_offset(p, c.name) for p, c in zip(processes[1:], channels, strict=True)]
    fills = [
        until(p, port, token)
        for p, port, token in zip(processes, ports[1:], (*wanted, 0), strict=True)
    ]
    steps = [lag + fill for lag, fill in zip(lags, fills, strict=True)]
    tails = [_tail(p, a, b) for p, (a, b) in zip(processes, pairwise(ports), strict=True)]
    kept = all(_needs_all(processes[k + 1], c, processes[k]) for k, c in enumerate(channels))
    whole = None not in tails and kept
    return Delay(
        fill=sum(steps) if begun else None,
        last=(sum(steps[:-1]) if begun else 0) + _last(processes[-1], port_out) + lags[-1],
        tail=sum(tails) + sum(lags) if whole else None,
    )


def chain_of(
    program: Program, port_in: str, port_out: str
) -> tuple[tuple[Process, ...], tuple[InnerChannel, ...]] | None:
    """The process between the ports, or the two with the channel between them."""
    reader = next((p for p in program.processes if _reads(p, port_in)), None)
    writer = next((p for p in program.processes if p.tokens_written(port_out)), None)
    if reader is None or writer is None:
        return None
    if reader is writer:
        return (reader,), ()
    between = [c for c in program.channels if (c.source, c.target) == (reader.name, writer.name)]
    return ((reader, writer), (between[0],)) if between else None


def lags_of(processes: tuple[Process, ...], channels: tuple[InnerChannel, ...]) -> tuple[int, ...]:
    """Cycles until what each process writes can be read."""
    return (*(c.forward_latency_cycles for c in channels), 1 + processes[-1].latency_cycles)


def _reads(process: Process, port: str) -> bool:
    return any(r.port == port for lp in process.loops for s in lp.segments for r in s.reads)


def _begins_with(process: Process, port: str) -> bool:
    """Whether the first event waits for a token of `port`."""
    return any(r.port == port for r in process.loops[0].segments[0].reads)


def _cycles(segment: Segment) -> int:
    """From the event before a segment to its last one."""
    return (segment.count - 1) * segment.gap + (segment.first_gap or segment.gap)


def _first_offset(process: Process, port: str) -> int:
    """Which token of `port` the first event waits for."""
    reads = process.loops[0].segments[0].reads
    return next((read.offset for read in reads if read.port == port), 0)


def until(process: Process, port: str, token: int) -> int:
    """Cycles from the first event to the one that writes token number `token` to `port`."""
    start = process.loops[0].segments[0]
    passed, left = -(start.first_gap or start.gap), token
    for loop in process.loops:
        each = sum(s.count for s in loop.segments if port in s.writes)
        skipped = min(loop.repeat - 1, left // each) if each else loop.repeat - 1
        passed += skipped * sum(map(_cycles, loop.segments))
        left -= skipped * each
        for segment in loop.segments:
            if port in segment.writes:
                if left < segment.count:
                    return passed + (segment.first_gap or segment.gap) + left * segment.gap
                left -= segment.count
            passed += _cycles(segment)
    return passed


def _last(process: Process, port: str) -> int:
    """Cycles from the first event to the last that writes to `port`."""
    start = process.loops[0].segments[0]
    whole = process.interval_cycles - (start.first_gap or start.gap)
    return whole - _behind(process, lambda s: port in s.writes)


def _tail(process: Process, port_in: str, port_out: str) -> int | None:
    """Cycles from the last event that reads `port_in` to the last that writes `port_out`; None where
    the latter comes first."""
    read = _behind(process, lambda s: any(r.port == port_in for r in s.reads))
    written = _behind(process, lambda s: port_out in s.writes)
    return read - written if read >= written else None


def _behind(process: Process, chosen: object) -> int:
    """Cycles behind the last event of the last segment that is `chosen`."""
    passed = 0
    for loop in reversed(process.loops):
        for segment in reversed(loop.segments):
            if chosen(segment):
                return passed
            passed += _cycles(segment)
        passed += (loop.repeat - 1) * sum(map(_cycles, loop.segments))
    return passed


def _needs_all(reader: Process, channel: InnerChannel, writer: Process) -> bool:
    """Whether some event of a frame waits for the last token of the channel."""
    released, needed = 0, -1
    for loop in reader.loops:
        for _ in _ends(loop):
            start = released
            for segment in loop.segments:
                for read in segment.reads:
                    if read.port == channel.name:
                        steps = (segment.count - 1) * (read.step + read.release)
                        needed = max(needed, released + read.offset + max(0, steps))
                        released += segment.count * read.release + read.release_last
        # The iterations between the first and the last release as much as the first.
        released += max(0, loop.repeat - 2) * (released - start) if loop.repeat > 2 else 0
    return needed == writer.tokens_written(channel.name) - 1


def _ends(loop: Loop) -> range:
    """The first and the last iteration of a loop."""
    return range(min(loop.repeat, 2))
