"""The timestamp engine: the max-plus recurrence of program.py, evaluated process by process.

No cycle is stepped. An activation advances one process as far as the known timestamps allow; a
process that waits is woken by the channel it waits for. A channel keeps the write times W of its
unread tokens and the release times R of the last `depth` tokens in two rings of `slots` >= depth
entries; with `slots` = all tokens of a run the rings are its complete trace.

Reset counts as an event of every process in cycle -1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codesign.errors import InvariantBroken
from codesign.sim.encode import Code
from codesign.sim.jit import inlined, jit

NEVER = -(1 << 60)  # release time of a slot that was never used
_DONE, _STUCK, _EARLY_RELEASE = 0, 1, 2


# Rows of the tables that the kernels share; a row that ends in _LO has its end in _HI.
(COUNT, GAP, FIRST_GAP, READ_LO, READ_HI, WRITE_LO, WRITE_HI) = range(7)  # segments
(CHANNEL, OFFSET, STEP, RELEASE, RELEASE_LAST) = range(5)  # inputs
(REPEAT, SEGMENT_LO, SEGMENT_HI) = range(3)  # loops
(FRAME, LOOP, TURN, SEGMENT, EVENT, TIME, STARTED, STARVED, BLOCKED, WAITS_FOR, AWAITED) = range(11)
(LOOP_LO, LOOP_HI, TOUCH_LO, TOUCH_HI) = range(11, 15)  # processes, behind what changes
(WRITTEN, RELEASED, PUT, TAKE, SLOTS, BASE, SOURCE, TARGET, DEPTH, LATENCY) = range(10)  # channels
(WROTE, FREED) = range(2)  # rings


class Tables(NamedTuple):
    """What the kernels work on: int64 tables, one column per owner."""

    touch: np.ndarray
    loops: np.ndarray
    segments: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray
    processes: np.ndarray
    channels: np.ndarray
    rings: np.ndarray


class State(NamedTuple):
    """Where every process and channel stands; int64 arrays, changed in place by `advance`.

    All but `tables` are views of its rows.
    """

    # per process: place in the program, time of the last event, time lost, what it waits for
    frame: np.ndarray
    loop: np.ndarray
    turn: np.ndarray
    segment: np.ndarray
    event: np.ndarray
    time: np.ndarray
    started: np.ndarray
    starved: np.ndarray
    blocked: np.ndarray
    waits_for: np.ndarray
    awaited: np.ndarray
    # per channel: tokens so far and their place in the rings
    written: np.ndarray
    released: np.ndarray
    put: np.ndarray
    take: np.ndarray
    slots: np.ndarray
    base: np.ndarray
    # rings of all channels, one after the other
    write_time: np.ndarray
    release_time: np.ndarray
    tables: Tables


def start(code: Code, slots: np.ndarray | None = None) -> State:
    """An idle machine; `slots` (per channel, >= depth) enlarges the rings to look back further."""
    slots = code.depth if slots is None else np.maximum(slots, code.depth)
    counted, count = len(code.depth), len(code.loop_lo) - 1
    ends = (code.loop_lo[:-1], code.loop_lo[1:], code.touch_lo[:-1], code.touch_lo[1:])
    processes = np.vstack([np.zeros((LOOP_LO, count), np.int64), *ends])
    channels = np.vstack(
        [
            np.zeros((SLOTS, counted), np.int64),
            *(slots, np.cumsum(slots) - slots, code.source, code.target, code.depth, code.latency),
        ]
    )
    rings = np.full((2, slots.sum()), NEVER, np.int64)
    processes[LOOP] = code.loop_lo[:-1]
    processes[SEGMENT] = code.segment_lo[processes[LOOP]]
    processes[TIME] = processes[WAITS_FOR] = -1
    tables = Tables(code.touch, *_program(code), processes, channels, rings)
    return State(*processes[:LOOP_LO], *channels[:SOURCE], *rings, tables)


def _program(code: Code) -> tuple[np.ndarray, ...]:
    """Tables of loops, segments, inputs and outputs."""
    reads, writes = code.read_lo, code.write_lo
    shape = (code.count, code.gap, code.first_gap, reads[:-1], reads[1:], writes[:-1], writes[1:])
    inputs = (code.read_channel, code.offset, code.step, code.release, code.release_last)
    loops = (code.repeat, code.segment_lo[:-1], code.segment_lo[1:])
    return np.vstack(loops), np.vstack(shape), np.vstack(inputs), code.write_channel


def advance(code: Code, state: State, frames: int) -> bool:
    """Run every process to the end of frame number `frames` - 1; False when the machine is stuck.

    Raises InvariantBroken when a program releases tokens that have not arrived.
    """
    outcome = _run(*state.tables, frames)
    if outcome >= _EARLY_RELEASE:
        channel = int(outcome - _EARLY_RELEASE)
        raise InvariantBroken(
            f"channel number {channel}: a program must release only tokens that have arrived; it "
            "released some before; let an event before it need the last of them",
            channel=channel,
        )
    return outcome == _DONE


@jit
def _run(touch, loops, segments, inputs, outputs, processes, channels, rings, frames):
    """Worklist over the count: _DONE, _STUCK, or _EARLY_RELEASE + channel."""
    count = processes.shape[1]
    queue = np.empty(count + 1, np.int64)
    queued = np.ones(count, np.bool_)
    queue[:count] = np.arange(count)
    head, tail = 0, count
    while head != tail:
        p = queue[head]
        head = head + 1 if head < count else 0
        queued[p] = False
        early = _activate(loops, segments, inputs, outputs, processes, channels, rings, p, frames)
        if early >= 0:
            return _EARLY_RELEASE + early
        for k in range(processes[TOUCH_LO, p], processes[TOUCH_HI, p]):
            c = touch[k]
            q = channels[TARGET, c] if channels[SOURCE, c] == p else channels[SOURCE, c]
            moved = channels[WRITTEN, c] if channels[SOURCE, c] == p else channels[RELEASED, c]
            if processes[WAITS_FOR, q] == c and moved >= processes[AWAITED, q] and not queued[q]:
                queue[tail] = q
                queued[q] = True
                tail = tail + 1 if tail < count else 0
    for p in range(count):
        if processes[FRAME, p] < frames:
            return _STUCK
    return _DONE


@inlined
def _activate(loops, segments, inputs, outputs, processes, channels, rings, p, frames):
    """Advance process `p` until it waits or ends; channel of an early release, or -1."""
    processes[WAITS_FOR, p] = -1
    while processes[FRAME, p] < frames:
        s, i = processes[SEGMENT, p], processes[EVENT, p]
        events = _ready(segments, inputs, outputs, processes, channels, p, s, i)
        if events == 0:
            return -1
        opens = i == 0 and processes[TURN, p] == 0 and s == loops[SEGMENT_LO, processes[LOOP_LO, p]]
        if opens:
            events = 1
        reads = segments[READ_HI, s] - segments[READ_LO, s]
        if reads <= 1 and segments[WRITE_HI, s] - segments[WRITE_LO, s] <= 1:
            single = reads == 0 or inputs[RELEASE, segments[READ_LO, s]] <= 1
        else:
            single = False
        if single:
            _fire_single(segments, inputs, outputs, processes, channels, rings, p, s, i, events)
        else:
            early = _fire(segments, inputs, outputs, processes, channels, rings, p, s, i, events)
            if early >= 0:
                return early
        if opens:
            processes[STARTED, p] = processes[TIME, p]
        processes[EVENT, p] += events
        if processes[EVENT, p] == segments[COUNT, s]:
            early = _end_segment(loops, segments, inputs, processes, channels, rings, p, s)
            if early >= 0:
                return early
    return -1


@inlined
def _ready(segments, inputs, outputs, processes, channels, p, s, i):
    """How many events of segment `s` from event `i` on have all the timestamps they need."""
    most = segments[COUNT, s] - i
    for r in range(segments[READ_LO, s], segments[READ_HI, s]):
        c = inputs[CHANNEL, r]
        there = (
            channels[WRITTEN, c] - channels[RELEASED, c] - inputs[OFFSET, r] - i * inputs[STEP, r]
        )
        pace = inputs[STEP, r] + inputs[RELEASE, r]
        if there <= 0:
            processes[WAITS_FOR, p] = c
            processes[AWAITED, p] = channels[WRITTEN, c] + 1 - there
            return 0
        if pace > 0 and there < most * pace:
            most = min(most, (there - 1) // pace + 1)
    for w in range(segments[WRITE_LO, s], segments[WRITE_HI, s]):
        c = outputs[w]
        space = channels[DEPTH, c] - (channels[WRITTEN, c] - channels[RELEASED, c])
        if space <= 0:
            processes[WAITS_FOR, p] = c
            processes[AWAITED, p] = channels[RELEASED, c] + 1
            return 0
        most = min(most, space)
    return most


@inlined
def _fire_single(segments, inputs, outputs, processes, channels, rings, p, s, i, events):
    """`events` events that read and write at most one channel each, release at most one token."""
    reads = segments[READ_HI, s] > segments[READ_LO, s]
    writes = segments[WRITE_HI, s] > segments[WRITE_LO, s]
    look = take = pace = into = wrap_in = latency = base_in = 0
    out = put = free = wrap_out = base_out = 0
    releases = False
    if reads:
        r = segments[READ_LO, s]
        into = inputs[CHANNEL, r]
        take, wrap_in, base_in = channels[TAKE, into], channels[SLOTS, into], channels[BASE, into]
        look, pace = (
            take + inputs[OFFSET, r] + i * inputs[STEP, r],
            inputs[STEP, r] + inputs[RELEASE, r],
        )
        look = look if look < wrap_in else look - wrap_in
        releases, latency = inputs[RELEASE, r] == 1, channels[LATENCY, into]
    if writes:
        out = outputs[segments[WRITE_LO, s]]
        put, wrap_out, base_out = channels[PUT, out], channels[SLOTS, out], channels[BASE, out]
        free = put - channels[DEPTH, out]
        free = free if free >= 0 else free + wrap_out
    time, gap = processes[TIME, p], segments[FIRST_GAP, s] if i == 0 else segments[GAP, s]
    starved = blocked = 0
    for _ in range(events):
        due = time + gap
        gap = segments[GAP, s]
        seen = due
        if reads:
            seen = max(due, rings[WROTE, base_in + look] + latency)
            look += pace
            look = look if look < wrap_in else look - wrap_in
            look = look if look >= 0 else look + wrap_in
        time = seen
        if writes:
            time = max(seen, rings[FREED, base_out + free] + 1)
            rings[WROTE, base_out + put] = time
            free = free + 1 if free + 1 < wrap_out else 0
            put = put + 1 if put + 1 < wrap_out else 0
        if releases:
            rings[FREED, base_in + take] = time
            take = take + 1 if take + 1 < wrap_in else 0
        starved += seen - due
        blocked += time - seen
    if releases:
        channels[TAKE, into] = take
        channels[RELEASED, into] += events
    if writes:
        channels[PUT, out] = put
        channels[WRITTEN, out] += events
    _note(processes, p, time, starved, blocked)


@inlined
def _fire(segments, inputs, outputs, processes, channels, rings, p, s, i, events):
    """`events` events of any kind; the channel of an early release, or -1."""
    starved = blocked = 0
    time = processes[TIME, p]
    for e in range(i, i + events):
        due = time + (segments[FIRST_GAP, s] if e == 0 else segments[GAP, s])
        seen = due
        for r in range(segments[READ_LO, s], segments[READ_HI, s]):
            c = inputs[CHANNEL, r]
            look = (channels[TAKE, c] + inputs[OFFSET, r] + e * inputs[STEP, r]) % channels[
                SLOTS, c
            ]
            seen = max(seen, rings[WROTE, channels[BASE, c] + look] + channels[LATENCY, c])
        time = seen
        for w in range(segments[WRITE_LO, s], segments[WRITE_HI, s]):
            c = outputs[w]
            free = (channels[PUT, c] - channels[DEPTH, c]) % channels[SLOTS, c]
            time = max(time, rings[FREED, channels[BASE, c] + free] + 1)
        for r in range(segments[READ_LO, s], segments[READ_HI, s]):
            if _release(channels, rings, inputs[CHANNEL, r], inputs[RELEASE, r], time):
                return inputs[CHANNEL, r]
        for w in range(segments[WRITE_LO, s], segments[WRITE_HI, s]):
            _write(channels, rings, outputs[w], time)
        starved += seen - due
        blocked += time - seen
    _note(processes, p, time, starved, blocked)
    return -1


@inlined
def _note(processes, p, time, starved, blocked):
    """Keep what a batch of events of process `p` came to."""
    processes[TIME, p] = time
    processes[STARVED, p] += starved
    processes[BLOCKED, p] += blocked


@inlined
def _write(channels, rings, c, time):
    """One token into channel `c` at `time`."""
    rings[WROTE, channels[BASE, c] + channels[PUT, c]] = time
    channels[PUT, c] = channels[PUT, c] + 1 if channels[PUT, c] + 1 < channels[SLOTS, c] else 0
    channels[WRITTEN, c] += 1


@inlined
def _release(channels, rings, c, tokens, time):
    """Free `tokens` tokens of channel `c` at `time`; True when one of them has not arrived."""
    if tokens == 0:
        return False
    if channels[RELEASED, c] + tokens > channels[WRITTEN, c]:
        return True
    last = channels[BASE, c] + (channels[TAKE, c] + tokens - 1) % channels[SLOTS, c]
    early = rings[WROTE, last] + channels[LATENCY, c] > time
    for _ in range(tokens):
        rings[FREED, channels[BASE, c] + channels[TAKE, c]] = time
        channels[TAKE, c] = (
            channels[TAKE, c] + 1 if channels[TAKE, c] + 1 < channels[SLOTS, c] else 0
        )
    channels[RELEASED, c] += tokens
    return early


@inlined
def _end_segment(loops, segments, inputs, processes, channels, rings, p, s):
    """Last releases of segment `s`, then on to the next; channel of an early release, or -1."""
    for r in range(segments[READ_LO, s], segments[READ_HI, s]):
        if _release(
            channels, rings, inputs[CHANNEL, r], inputs[RELEASE_LAST, r], processes[TIME, p]
        ):
            return inputs[CHANNEL, r]
    processes[EVENT, p] = 0
    processes[SEGMENT, p] += 1
    loop = processes[LOOP, p]
    if processes[SEGMENT, p] < loops[SEGMENT_HI, loop]:
        return -1
    processes[TURN, p] += 1
    if processes[TURN, p] == loops[REPEAT, loop]:
        processes[TURN, p] = 0
        loop += 1
        if loop == processes[LOOP_HI, p]:
            loop = processes[LOOP_LO, p]
            processes[FRAME, p] += 1
        processes[LOOP, p] = loop
    processes[SEGMENT, p] = loops[SEGMENT_LO, loop]
    return -1
