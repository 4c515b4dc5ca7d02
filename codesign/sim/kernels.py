"""The inner loops of engine.py, compiled by numba: the processes that can go on, one after another.

Rows of the tables are owners (a process, a channel, ...), columns are named below. Times of writes
and releases lie in rings, those of all channels one after the other.

Rows `p`, `s`, `c` are unsigned (`row`), for numba would look for negative ones at each access.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codesign.sim.jit import inlined, jit

DONE, STUCK, EARLY_RELEASE = 0, 1, 2

(FRAME, LOOP, TURN, SEGMENT, EVENT, TIME, WAITS_FOR, AWAITED) = range(8)  # processes
(STARTED, STARVED, BLOCKED, FIRST, LOOP_LO, LOOP_HI, PROCESS_COLUMNS) = range(8, 15)
(REPEAT, SEGMENT_LO, SEGMENT_HI) = range(3)  # loops
(COUNT, GAP, FIRST_GAP, READ_LO, READ_HI, WRITE_LO, WRITE_HI, PLAIN) = range(8)  # segments
(INTO, OUT, OFFSET, STEP, RELEASE, RELEASE_LAST) = range(8, 14)  # of a plain segment; -1: none
(CHANNEL, R_OFFSET, R_STEP, R_RELEASE, R_RELEASE_LAST) = range(5)  # inputs of any segment
(WRITTEN, RELEASED, PUT, TAKE, SLOTS, BASE, SOURCE, TARGET, DEPTH, LATENCY) = range(10)  # channels

row = np.uintp


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
    # processes that can go on, and how many (one number)
    ready: np.ndarray
    ready_count: np.ndarray


@jit
def run(t, frames):
    """DONE, STUCK, or EARLY_RELEASE + channel.

    Who was woken last goes on first, while what it works on is still in the processor's cache.
    """
    t.ready_count[0] = 0
    for p in range(len(t.processes)):
        _go_on(t, row(p))
    while t.ready_count[0] > 0:
        t.ready_count[0] -= 1
        early = _activate(t, row(t.ready[row(t.ready_count[0])]), frames)
        if early >= 0:
            return EARLY_RELEASE + early
    for p in range(len(t.processes)):
        if t.processes[row(p), FRAME] < frames:
            return STUCK
    return DONE


@inlined
def _go_on(t, p):
    t.processes[p, WAITS_FOR] = -1
    t.ready[row(t.ready_count[0])] = p
    t.ready_count[0] += 1


@inlined
def _wake(t, p, c, moved):
    """Process `p` goes on once the `moved`-th token of `c` is what it waits for."""
    if t.processes[p, WAITS_FOR] == np.int64(c) and moved >= t.processes[p, AWAITED]:
        _go_on(t, p)


@inlined
def _wait(t, p, c, awaited):
    t.processes[p, WAITS_FOR] = c
    t.processes[p, AWAITED] = awaited


@inlined
def _activate(t, p, frames):
    """Advance process `p` until it waits or ends; channel of an early release, or -1."""
    while t.processes[p, FRAME] < frames:
        s, i = row(t.processes[p, SEGMENT]), t.processes[p, EVENT]
        opens = i == 0 and t.processes[p, TURN] == 0 and s == row(t.processes[p, FIRST])
        most = 1 if opens else t.segments[s, COUNT] - i
        early = -1
        if t.segments[s, PLAIN] == 1:
            events = _plain_ready(t, p, s, i, most)
            if events > 0:
                _fire_plain(t, p, s, i, events)
        else:
            events = _ready(t, p, s, i, most)
            early = _fire(t, p, s, i, events)
        if opens and events > 0:
            t.processes[p, STARTED] = t.processes[p, TIME]
        t.processes[p, EVENT] = i + events
        if i + events == t.segments[s, COUNT] and early < 0:
            early = _end_segment(t, p, s)
        elif events < most:
            return early
        if early >= 0:
            return early
    return -1


@inlined
def _plain_ready(t, p, s, i, most):
    """Of `most` events of a plain segment from event `i` on, how many have all the timestamps they
    need; with fewer than `most` the process is marked as waiting for what the next one needs."""
    if t.segments[s, INTO] >= 0:
        c, step = row(t.segments[s, INTO]), t.segments[s, STEP]
        there = t.channels[c, WRITTEN] - t.channels[c, RELEASED] - t.segments[s, OFFSET] - i * step
        most = _readable(t, p, c, there, step + t.segments[s, RELEASE], most)
    if t.segments[s, OUT] >= 0:
        most = _writable(t, p, row(t.segments[s, OUT]), most)
    return most


@inlined
def _ready(t, p, s, i, most):
    """The same for any segment."""
    for r in range(t.segments[s, READ_LO], t.segments[s, READ_HI]):
        c, step = row(t.inputs[row(r), CHANNEL]), t.inputs[row(r), R_STEP]
        ahead = t.inputs[row(r), R_OFFSET] + i * step
        there = t.channels[c, WRITTEN] - t.channels[c, RELEASED] - ahead
        most = _readable(t, p, c, there, step + t.inputs[row(r), R_RELEASE], most)
    for w in range(t.segments[s, WRITE_LO], t.segments[s, WRITE_HI]):
        most = _writable(t, p, row(t.outputs[row(w)]), most)
    return most


@inlined
def _readable(t, p, c, there, pace, most):
    """Events that find their token in channel `c`, which holds `there` from that of the first one
    on, each looking `pace` tokens further."""
    events = most
    if there <= 0:
        events = 0
    elif pace == 1:
        events = min(most, there)
    elif pace > 1 and there < most * pace:
        events = (there - 1) // pace + 1
    if events < most:
        _wait(t, p, c, t.channels[c, WRITTEN] + 1 - there + events * pace)
    return events


@inlined
def _writable(t, p, c, most):
    """Events that find space in channel `c`."""
    space = t.channels[c, DEPTH] - t.channels[c, WRITTEN] + t.channels[c, RELEASED]
    if space < most:
        _wait(t, p, c, t.channels[c, RELEASED] + 1)
        return max(space, 0)
    return most


@inlined
def _fire_plain(t, p, s, i, events):
    """`events` events that read and write at most one channel each, release at most one token."""
    reads, writes = t.segments[s, INTO] >= 0, t.segments[s, OUT] >= 0
    into, out = row(t.segments[s, INTO]), row(t.segments[s, OUT])
    first = t.segments[s, FIRST_GAP] if i == 0 else t.segments[s, GAP]
    if not reads:
        _fire_writing(t, p, s, first, writes, out, events)
    elif not writes:
        _fire_reading(t, p, s, i, first, into, events)
    else:
        _fire_moving(t, p, s, i, first, into, out, events)
    if reads and t.segments[s, RELEASE] == 1:
        t.channels[into, RELEASED] += events
        _wake(t, row(t.channels[into, SOURCE]), into, t.channels[into, RELEASED])
    if writes:
        t.channels[out, WRITTEN] += events
        _wake(t, row(t.channels[out, TARGET]), out, t.channels[out, WRITTEN])


@inlined
def _fire_writing(t, p, s, first, writes, c, events):
    """Events that write channel `c`, or do nothing."""
    gap, start = t.segments[s, GAP], t.processes[p, TIME]
    time = start + first - gap
    if writes:
        put, slots, base = t.channels[c, PUT], t.channels[c, SLOTS], t.channels[c, BASE]
        free = put - t.channels[c, DEPTH]
        free = free if free >= 0 else free + slots
        for _ in range(events):
            time = max(time + gap, t.freed[row(base + free)] + 1)
            t.wrote[row(base + put)] = time
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
    gap, start = t.segments[s, GAP], t.processes[p, TIME]
    look, slots, base = _look(t, s, i, c), t.channels[c, SLOTS], t.channels[c, BASE]
    latency, take, releases = t.channels[c, LATENCY], t.channels[c, TAKE], t.segments[s, RELEASE]
    step, time = t.segments[s, STEP] + releases, start + first - gap
    for _ in range(events):
        time = max(time + gap, t.wrote[row(base + look)] + latency)
        look = _onward(look, step, slots)
        if releases == 1:
            t.freed[row(base + take)] = time
            take = take + 1 if take + 1 < slots else 0
    t.channels[c, TAKE] = take
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
        seen = max(time + gap, t.wrote[row(base + look)] + latency)
        time = max(seen, t.freed[row(out_base + free)] + 1)
        blocked += time - seen
        look = _onward(look, step, slots)
        t.wrote[row(out_base + put)] = time
        free = free + 1 if free + 1 < out_slots else 0
        put = put + 1 if put + 1 < out_slots else 0
        if releases == 1:
            t.freed[row(base + take)] = time
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
            c = row(t.inputs[row(r), CHANNEL])
            step = t.inputs[row(r), R_OFFSET] + e * t.inputs[row(r), R_STEP]
            look = _onward(t.channels[c, TAKE], step, t.channels[c, SLOTS])
            seen = max(seen, t.wrote[row(t.channels[c, BASE] + look)] + t.channels[c, LATENCY])
        time = seen
        for w in writes:
            c = row(t.outputs[row(w)])
            free = _onward(t.channels[c, PUT], -t.channels[c, DEPTH], t.channels[c, SLOTS])
            time = max(time, t.freed[row(t.channels[c, BASE] + free)] + 1)
        for r in reads:
            if _release(t, row(t.inputs[row(r), CHANNEL]), t.inputs[row(r), R_RELEASE], time):
                return t.inputs[row(r), CHANNEL]
        for w in writes:
            _write(t, row(t.outputs[row(w)]), time)
        starved += seen - due
        blocked += time - seen
    _note(t, p, time, starved, blocked)
    return -1


@inlined
def _write(t, c, time):
    """One token into channel `c` at `time`."""
    t.wrote[row(t.channels[c, BASE] + t.channels[c, PUT])] = time
    t.channels[c, PUT] = _onward(t.channels[c, PUT], 1, t.channels[c, SLOTS])
    t.channels[c, WRITTEN] += 1
    _wake(t, row(t.channels[c, TARGET]), c, t.channels[c, WRITTEN])


@inlined
def _release(t, c, tokens, time):
    """Free `tokens` tokens of channel `c` at `time`; True when one of them has not arrived."""
    if tokens == 0:
        return False
    if t.channels[c, RELEASED] + tokens > t.channels[c, WRITTEN]:
        return True
    base, slots = t.channels[c, BASE], t.channels[c, SLOTS]
    last = base + _onward(t.channels[c, TAKE], tokens - 1, slots)
    early = t.wrote[row(last)] + t.channels[c, LATENCY] > time
    for _ in range(tokens):
        t.freed[row(base + t.channels[c, TAKE])] = time
        t.channels[c, TAKE] = _onward(t.channels[c, TAKE], 1, slots)
    t.channels[c, RELEASED] += tokens
    _wake(t, row(t.channels[c, SOURCE]), c, t.channels[c, RELEASED])
    return early


@inlined
def _end_segment(t, p, s):
    """Last releases of segment `s`, then on to the next; channel of an early release, or -1."""
    for r in range(t.segments[s, READ_LO], t.segments[s, READ_HI]):
        c, tokens = row(t.inputs[row(r), CHANNEL]), t.inputs[row(r), R_RELEASE_LAST]
        if _release(t, c, tokens, t.processes[p, TIME]):
            return t.inputs[row(r), CHANNEL]
    loop = t.processes[p, LOOP]
    t.processes[p, EVENT] = 0
    t.processes[p, SEGMENT] += 1
    if t.processes[p, SEGMENT] < t.loops[row(loop), SEGMENT_HI]:
        return -1
    t.processes[p, TURN] += 1
    if t.processes[p, TURN] == t.loops[row(loop), REPEAT]:
        t.processes[p, TURN] = 0
        loop += 1
        if loop == t.processes[p, LOOP_HI]:
            loop = t.processes[p, LOOP_LO]
            t.processes[p, FRAME] += 1
        t.processes[p, LOOP] = loop
    t.processes[p, SEGMENT] = t.loops[row(loop), SEGMENT_LO]
    return -1
