"""The inner loops of engine.py, compiled by numba: one worklist over the processes of a machine.

Rows of the tables are owners (a process, a channel, ...), columns are named below. Times of writes
and releases lie in rings, those of all channels one after the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codesign.sim.jit import inlined, jit

DONE, STUCK, EARLY_RELEASE = 0, 1, 2

(LOOP_LO, LOOP_HI, FRAME, LOOP, TURN, SEGMENT, EVENT, TIME, STARTED) = range(9)  # processes
(STARVED, BLOCKED, WAITS_FOR, AWAITED, QUEUED, PROCESS_COLUMNS) = range(9, 15)
(REPEAT, SEGMENT_LO, SEGMENT_HI) = range(3)  # loops
(COUNT, GAP, FIRST_GAP, READ_LO, READ_HI, WRITE_LO, WRITE_HI, PLAIN) = range(8)  # segments
(INTO, OUT, OFFSET, STEP, RELEASE, RELEASE_LAST) = range(8, 14)  # of a plain segment; -1: none
(CHANNEL, R_OFFSET, R_STEP, R_RELEASE, R_RELEASE_LAST) = range(5)  # inputs of any segment
(WRITTEN, RELEASED, PUT, TAKE, SLOTS, BASE, SOURCE, TARGET, DEPTH, LATENCY) = range(10)  # channels
HEAD, TAIL = 0, 1  # of the queue


class Tables(NamedTuple):
    """What the kernels work on; all int64."""

    loops: np.ndarray
    segments: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray
    processes: np.ndarray
    channels: np.ndarray
    wrote: np.ndarray
    freed: np.ndarray
    queue: np.ndarray
    ends: np.ndarray


@jit
def run(t, frames):
    """DONE, STUCK, or EARLY_RELEASE + channel."""
    t.ends[HEAD] = t.ends[TAIL] = 0
    for p in range(len(t.processes)):
        _enqueue(t, p)
    while t.ends[HEAD] != t.ends[TAIL]:
        p = t.queue[t.ends[HEAD]]
        t.ends[HEAD] = t.ends[HEAD] + 1 if t.ends[HEAD] + 1 < len(t.queue) else 0
        t.processes[p, QUEUED] = 0
        early = _activate(t, p, frames)
        if early >= 0:
            return EARLY_RELEASE + early
    for p in range(len(t.processes)):
        if t.processes[p, FRAME] < frames:
            return STUCK
    return DONE


@inlined
def _enqueue(t, p):
    t.queue[t.ends[TAIL]] = p
    t.processes[p, QUEUED] = 1
    t.ends[TAIL] = t.ends[TAIL] + 1 if t.ends[TAIL] + 1 < len(t.queue) else 0


@inlined
def _wake(t, p, c, moved):
    """Process `p` goes on once the `moved`-th token of `c` is what it waits for."""
    waits = t.processes[p, WAITS_FOR] == c and moved >= t.processes[p, AWAITED]
    if waits and t.processes[p, QUEUED] == 0:
        _enqueue(t, p)


@inlined
def _activate(t, p, frames):
    """Advance process `p` until it waits or ends; channel of an early release, or -1."""
    t.processes[p, WAITS_FOR] = -1
    while t.processes[p, FRAME] < frames:
        s, i = t.processes[p, SEGMENT], t.processes[p, EVENT]
        plain = t.segments[s, PLAIN] == 1
        events = _plain_ready(t, p, s, i) if plain else _ready(t, p, s, i)
        if events == 0:
            return -1
        first = t.loops[t.processes[p, LOOP_LO], SEGMENT_LO]
        opens = s == first and i == 0 and t.processes[p, TURN] == 0
        if opens:
            events = 1
        early = -1
        if plain:
            _fire_plain(t, p, s, i, events)
        else:
            early = _fire(t, p, s, i, events)
        if opens:
            t.processes[p, STARTED] = t.processes[p, TIME]
        t.processes[p, EVENT] = i + events
        if i + events == t.segments[s, COUNT] and early < 0:
            early = _end_segment(t, p, s)
        if early >= 0:
            return early
    return -1


@inlined
def _plain_ready(t, p, s, i):
    """How many events of a plain segment from event `i` on have all the timestamps they need."""
    most = t.segments[s, COUNT] - i
    c = t.segments[s, INTO]
    if c >= 0:
        step = t.segments[s, STEP]
        there = t.channels[c, WRITTEN] - t.channels[c, RELEASED] - t.segments[s, OFFSET] - i * step
        if there <= 0:
            _wait(t, p, c, t.channels[c, WRITTEN] + 1 - there)
            return 0
        pace = step + t.segments[s, RELEASE]
        if pace == 1:
            most = min(most, there)
        elif pace > 1 and there < most * pace:
            most = min(most, (there - 1) // pace + 1)
    c = t.segments[s, OUT]
    if c >= 0:
        space = t.channels[c, DEPTH] - t.channels[c, WRITTEN] + t.channels[c, RELEASED]
        if space <= 0:
            _wait(t, p, c, t.channels[c, RELEASED] + 1)
            return 0
        most = min(most, space)
    return most


@inlined
def _ready(t, p, s, i):
    """The same for any segment."""
    most = t.segments[s, COUNT] - i
    for r in range(t.segments[s, READ_LO], t.segments[s, READ_HI]):
        c, step = t.inputs[r, CHANNEL], t.inputs[r, R_STEP]
        there = t.channels[c, WRITTEN] - t.channels[c, RELEASED] - t.inputs[r, R_OFFSET] - i * step
        if there <= 0:
            _wait(t, p, c, t.channels[c, WRITTEN] + 1 - there)
            return 0
        pace = step + t.inputs[r, R_RELEASE]
        if pace > 0 and there < most * pace:
            most = min(most, (there - 1) // pace + 1)
    for w in range(t.segments[s, WRITE_LO], t.segments[s, WRITE_HI]):
        c = t.outputs[w]
        space = t.channels[c, DEPTH] - t.channels[c, WRITTEN] + t.channels[c, RELEASED]
        if space <= 0:
            _wait(t, p, c, t.channels[c, RELEASED] + 1)
            return 0
        most = min(most, space)
    return most


@inlined
def _wait(t, p, c, awaited):
    t.processes[p, WAITS_FOR] = c
    t.processes[p, AWAITED] = awaited


@inlined
def _fire_plain(t, p, s, i, events):
    """`events` events that read and write at most one channel each, release at most one token."""
    into, out = t.segments[s, INTO], t.segments[s, OUT]
    first = t.segments[s, FIRST_GAP] if i == 0 else t.segments[s, GAP]
    if into < 0:
        _fire_writing(t, p, s, first, out, events)
    elif out < 0:
        _fire_reading(t, p, s, i, first, into, events)
    else:
        _fire_moving(t, p, s, i, first, into, out, events)
    if into >= 0 and t.segments[s, RELEASE] == 1:
        t.channels[into, RELEASED] += events
        _wake(t, t.channels[into, SOURCE], into, t.channels[into, RELEASED])
    if out >= 0:
        t.channels[out, WRITTEN] += events
        _wake(t, t.channels[out, TARGET], out, t.channels[out, WRITTEN])


@inlined
def _fire_writing(t, p, s, first, c, events):
    """Events that write channel `c`, or do nothing (-1)."""
    gap, start = t.segments[s, GAP], t.processes[p, TIME]
    time = start + first - gap
    if c >= 0:
        put, slots, base = t.channels[c, PUT], t.channels[c, SLOTS], t.channels[c, BASE]
        free = put - t.channels[c, DEPTH]
        free = free if free >= 0 else free + slots
        for _ in range(events):
            time = max(time + gap, t.freed[base + free] + 1)
            t.wrote[base + put] = time
            free = free + 1 if free + 1 < slots else 0
            put = put + 1 if put + 1 < slots else 0
        t.channels[c, PUT] = put
    else:
        time += events * gap
    _note(t, p, time, 0, time - start - first - (events - 1) * gap)


@inlined
def _look(t, s, i, c):
    """Place in the ring of `c` that event `i` reads."""
    look = t.channels[c, TAKE] + t.segments[s, OFFSET] + i * t.segments[s, STEP]
    return look if look < t.channels[c, SLOTS] else look - t.channels[c, SLOTS]


@inlined
def _onward(place, step, slots):
    """`step` places on in a ring."""
    place += step
    place = place if place < slots else place - slots
    return place if place >= 0 else place + slots


@inlined
def _fire_reading(t, p, s, i, first, c, events):
    """Events that read channel `c` and write nothing."""
    gap, start, step = t.segments[s, GAP], t.processes[p, TIME], t.segments[s, STEP]
    look, slots, base = _look(t, s, i, c), t.channels[c, SLOTS], t.channels[c, BASE]
    latency, time = t.channels[c, LATENCY], start + first - gap
    if t.segments[s, RELEASE] == 1:
        take = t.channels[c, TAKE]
        for _ in range(events):
            time = max(time + gap, t.wrote[base + look] + latency)
            look = _onward(look, step + 1, slots)
            t.freed[base + take] = time
            take = take + 1 if take + 1 < slots else 0
        t.channels[c, TAKE] = take
    else:
        for _ in range(events):
            time = max(time + gap, t.wrote[base + look] + latency)
            look = _onward(look, step, slots)
    _note(t, p, time, time - start - first - (events - 1) * gap, 0)


@inlined
def _fire_moving(t, p, s, i, first, c, out, events):
    """Events that read channel `c` and write channel `out`."""
    gap, start = t.segments[s, GAP], t.processes[p, TIME]
    look, slots, base = _look(t, s, i, c), t.channels[c, SLOTS], t.channels[c, BASE]
    latency, take, releases = t.channels[c, LATENCY], t.channels[c, TAKE], t.segments[s, RELEASE]
    step = t.segments[s, STEP] + releases
    put, out_slots, out_base = t.channels[out, PUT], t.channels[out, SLOTS], t.channels[out, BASE]
    free = put - t.channels[out, DEPTH]
    free = free if free >= 0 else free + out_slots
    time, blocked = start + first - gap, 0
    for _ in range(events):
        seen = max(time + gap, t.wrote[base + look] + latency)
        time = max(seen, t.freed[out_base + free] + 1)
        blocked += time - seen
        look = _onward(look, step, slots)
        t.wrote[out_base + put] = time
        free = free + 1 if free + 1 < out_slots else 0
        put = put + 1 if put + 1 < out_slots else 0
        if releases == 1:
            t.freed[base + take] = time
            take = take + 1 if take + 1 < slots else 0
    t.channels[c, TAKE], t.channels[out, PUT] = take, put
    _note(t, p, time, time - start - first - (events - 1) * gap - blocked, blocked)


@inlined
def _note(t, p, time, starved, blocked):
    """Keep what a batch of events of process `p` came to."""
    t.processes[p, TIME] = time
    t.processes[p, STARVED] += starved
    t.processes[p, BLOCKED] += blocked


@inlined
def _fire(t, p, s, i, events):
    """`events` events of any kind; the channel of an early release, or -1."""
    reads = range(t.segments[s, READ_LO], t.segments[s, READ_HI])
    writes = range(t.segments[s, WRITE_LO], t.segments[s, WRITE_HI])
    starved = blocked = 0
    time = t.processes[p, TIME]
    for e in range(i, i + events):
        due = time + (t.segments[s, FIRST_GAP] if e == 0 else t.segments[s, GAP])
        seen = due
        for r in reads:
            c = t.inputs[r, CHANNEL]
            look = t.channels[c, TAKE] + t.inputs[r, R_OFFSET] + e * t.inputs[r, R_STEP]
            look %= t.channels[c, SLOTS]
            seen = max(seen, t.wrote[t.channels[c, BASE] + look] + t.channels[c, LATENCY])
        time = seen
        for w in writes:
            c = t.outputs[w]
            free = (t.channels[c, PUT] - t.channels[c, DEPTH]) % t.channels[c, SLOTS]
            time = max(time, t.freed[t.channels[c, BASE] + free] + 1)
        for r in reads:
            if _release(t, t.inputs[r, CHANNEL], t.inputs[r, R_RELEASE], time):
                return t.inputs[r, CHANNEL]
        for w in writes:
            _write(t, t.outputs[w], time)
        starved += seen - due
        blocked += time - seen
    _note(t, p, time, starved, blocked)
    return -1


@inlined
def _write(t, c, time):
    """One token into channel `c` at `time`."""
    t.wrote[t.channels[c, BASE] + t.channels[c, PUT]] = time
    t.channels[c, PUT] = _onward(t.channels[c, PUT], 1, t.channels[c, SLOTS])
    t.channels[c, WRITTEN] += 1
    _wake(t, t.channels[c, TARGET], c, t.channels[c, WRITTEN])


@inlined
def _release(t, c, tokens, time):
    """Free `tokens` tokens of channel `c` at `time`; True when one of them has not arrived."""
    if tokens == 0:
        return False
    if t.channels[c, RELEASED] + tokens > t.channels[c, WRITTEN]:
        return True
    base, slots = t.channels[c, BASE], t.channels[c, SLOTS]
    last = base + (t.channels[c, TAKE] + tokens - 1) % slots
    early = t.wrote[last] + t.channels[c, LATENCY] > time
    for _ in range(tokens):
        t.freed[base + t.channels[c, TAKE]] = time
        t.channels[c, TAKE] = _onward(t.channels[c, TAKE], 1, slots)
    t.channels[c, RELEASED] += tokens
    _wake(t, t.channels[c, SOURCE], c, t.channels[c, RELEASED])
    return early


@inlined
def _end_segment(t, p, s):
    """Last releases of segment `s`, then on to the next; channel of an early release, or -1."""
    for r in range(t.segments[s, READ_LO], t.segments[s, READ_HI]):
        if _release(t, t.inputs[r, CHANNEL], t.inputs[r, R_RELEASE_LAST], t.processes[p, TIME]):
            return t.inputs[r, CHANNEL]
    loop = t.processes[p, LOOP]
    t.processes[p, EVENT] = 0
    t.processes[p, SEGMENT] = s + 1
    if s + 1 < t.loops[loop, SEGMENT_HI]:
        return -1
    t.processes[p, TURN] += 1
    if t.processes[p, TURN] == t.loops[loop, REPEAT]:
        t.processes[p, TURN] = 0
        loop += 1
        if loop == t.processes[p, LOOP_HI]:
            loop = t.processes[p, LOOP_LO]
            t.processes[p, FRAME] += 1
        t.processes[p, LOOP] = loop
    t.processes[p, SEGMENT] = t.loops[loop, SEGMENT_LO]
    return -1
