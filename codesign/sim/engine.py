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
from codesign.sim.jit import jit

NEVER = -(1 << 60)  # release time of a slot that was never used
_DONE, _STUCK, _EARLY_RELEASE = 0, 1, 2


class State(NamedTuple):
    """Where every process and channel stands; int64 arrays, changed in place by `advance`."""

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


def start(code: Code, slots: np.ndarray | None = None) -> State:
    """An idle machine; `slots` (per channel, >= depth) enlarges the rings to look back further."""
    slots = code.depth.copy() if slots is None else np.maximum(slots, code.depth)
    base = np.cumsum(slots) - slots
    processes, channels = len(code.loop_lo) - 1, len(code.depth)
    per_process = [np.zeros(processes, np.int64) for _ in range(11)]
    per_channel = [np.zeros(channels, np.int64) for _ in range(4)]
    rings = [np.full(slots.sum(), NEVER, np.int64) for _ in range(2)]
    state = State(*per_process, *per_channel, slots, base, *rings)
    state.loop[:] = code.loop_lo[:-1]
    state.segment[:] = code.segment_lo[state.loop]
    state.time[:] = -1
    state.waits_for[:] = -1
    return state


def advance(code: Code, state: State, frames: int) -> bool:
    """Run every process to the end of frame number `frames` - 1; False when the machine is stuck.

    Raises InvariantBroken when a program releases tokens that have not arrived.
    """
    outcome = _run(code, state, frames)
    if outcome >= _EARLY_RELEASE:
        channel = int(outcome - _EARLY_RELEASE)
        raise InvariantBroken(
            f"channel number {channel}: a program must release only tokens that have arrived; it "
            "released some before; let an event before it need the last of them",
            channel=channel,
        )
    return outcome == _DONE


@jit
def _run(code, state, frames):
    """Worklist over the processes: _DONE, _STUCK, or _EARLY_RELEASE + channel."""
    processes = len(state.time)
    queue = np.empty(processes + 1, np.int64)
    queued = np.ones(processes, np.bool_)
    queue[:processes] = np.arange(processes)
    head, tail = 0, processes
    while head != tail:
        p = queue[head]
        head = head + 1 if head < processes else 0
        queued[p] = False
        early = _activate(code, state, p, frames)
        if early >= 0:
            return _EARLY_RELEASE + early
        for k in range(code.touch_lo[p], code.touch_lo[p + 1]):
            c = code.touch[k]
            q = code.target[c] if code.source[c] == p else code.source[c]
            moved = state.written[c] if code.source[c] == p else state.released[c]
            if state.waits_for[q] == c and moved >= state.awaited[q] and not queued[q]:
                queue[tail] = q
                queued[q] = True
                tail = tail + 1 if tail < processes else 0
    for p in range(processes):
        if state.frame[p] < frames:
            return _STUCK
    return _DONE


@jit
def _activate(code, state, p, frames):
    """Advance process `p` until it waits or ends; channel of an early release, or -1."""
    state.waits_for[p] = -1
    while state.frame[p] < frames:
        s, i = state.segment[p], state.event[p]
        events = _ready(code, state, p, s, i)
        if events == 0:
            return -1
        opens = i == 0 and state.turn[p] == 0 and s == code.segment_lo[code.loop_lo[p]]
        if opens:
            events = 1
        reads = code.read_lo[s + 1] - code.read_lo[s]
        if reads <= 1 and code.write_lo[s + 1] - code.write_lo[s] <= 1:
            single = reads == 0 or code.release[code.read_lo[s]] <= 1
        else:
            single = False
        if single:
            _fire_single(code, state, p, s, i, events)
        else:
            early = _fire(code, state, p, s, i, events)
            if early >= 0:
                return early
        if opens:
            state.started[p] = state.time[p]
        state.event[p] += events
        if state.event[p] == code.count[s]:
            early = _end_segment(code, state, p, s)
            if early >= 0:
                return early
    return -1


@jit
def _ready(code, state, p, s, i):
    """How many events of segment `s` from event `i` on have all the timestamps they need."""
    most = code.count[s] - i
    for r in range(code.read_lo[s], code.read_lo[s + 1]):
        c = code.read_channel[r]
        there = state.written[c] - state.released[c] - code.offset[r] - i * code.step[r]
        pace = code.step[r] + code.release[r]
        if there <= 0:
            state.waits_for[p] = c
            state.awaited[p] = state.written[c] + 1 - there
            return 0
        if pace > 0 and there < most * pace:
            most = min(most, (there - 1) // pace + 1)
    for w in range(code.write_lo[s], code.write_lo[s + 1]):
        c = code.write_channel[w]
        space = code.depth[c] - (state.written[c] - state.released[c])
        if space <= 0:
            state.waits_for[p] = c
            state.awaited[p] = state.released[c] + 1
            return 0
        most = min(most, space)
    return most


@jit
def _fire_single(code, state, p, s, i, events):
    """`events` events that read and write at most one channel each, release at most one token."""
    reads = code.read_lo[s + 1] > code.read_lo[s]
    writes = code.write_lo[s + 1] > code.write_lo[s]
    look = take = pace = into = wrap_in = latency = base_in = 0
    out = put = free = wrap_out = base_out = 0
    releases = False
    if reads:
        r = code.read_lo[s]
        into = code.read_channel[r]
        take, wrap_in, base_in = state.take[into], state.slots[into], state.base[into]
        look, pace = take + code.offset[r] + i * code.step[r], code.step[r] + code.release[r]
        look = look if look < wrap_in else look - wrap_in
        releases, latency = code.release[r] == 1, code.latency[into]
    if writes:
        out = code.write_channel[code.write_lo[s]]
        put, wrap_out, base_out = state.put[out], state.slots[out], state.base[out]
        free = put - code.depth[out]
        free = free if free >= 0 else free + wrap_out
    time, gap = state.time[p], code.first_gap[s] if i == 0 else code.gap[s]
    starved = blocked = 0
    for _ in range(events):
        due = time + gap
        gap = code.gap[s]
        seen = due
        if reads:
            seen = max(due, state.write_time[base_in + look] + latency)
            look += pace
            look = look if look < wrap_in else look - wrap_in
            look = look if look >= 0 else look + wrap_in
        time = seen
        if writes:
            time = max(seen, state.release_time[base_out + free] + 1)
            state.write_time[base_out + put] = time
            free = free + 1 if free + 1 < wrap_out else 0
            put = put + 1 if put + 1 < wrap_out else 0
        if releases:
            state.release_time[base_in + take] = time
            take = take + 1 if take + 1 < wrap_in else 0
        starved += seen - due
        blocked += time - seen
    if releases:
        state.take[into] = take
        state.released[into] += events
    if writes:
        state.put[out] = put
        state.written[out] += events
    _note(state, p, time, starved, blocked)


@jit
def _fire(code, state, p, s, i, events):
    """`events` events of any kind; the channel of an early release, or -1."""
    starved = blocked = 0
    time = state.time[p]
    for e in range(i, i + events):
        due = time + (code.first_gap[s] if e == 0 else code.gap[s])
        seen = due
        for r in range(code.read_lo[s], code.read_lo[s + 1]):
            c = code.read_channel[r]
            look = (state.take[c] + code.offset[r] + e * code.step[r]) % state.slots[c]
            seen = max(seen, state.write_time[state.base[c] + look] + code.latency[c])
        time = seen
        for w in range(code.write_lo[s], code.write_lo[s + 1]):
            c = code.write_channel[w]
            free = (state.put[c] - code.depth[c]) % state.slots[c]
            time = max(time, state.release_time[state.base[c] + free] + 1)
        for r in range(code.read_lo[s], code.read_lo[s + 1]):
            if _release(code, state, code.read_channel[r], code.release[r], time):
                return code.read_channel[r]
        for w in range(code.write_lo[s], code.write_lo[s + 1]):
            _write(state, code.write_channel[w], time)
        starved += seen - due
        blocked += time - seen
    _note(state, p, time, starved, blocked)
    return -1


@jit
def _note(state, p, time, starved, blocked):
    """Keep what a batch of events of process `p` came to."""
    state.time[p] = time
    state.starved[p] += starved
    state.blocked[p] += blocked


@jit
def _write(state, c, time):
    """One token into channel `c` at `time`."""
    state.write_time[state.base[c] + state.put[c]] = time
    state.put[c] = state.put[c] + 1 if state.put[c] + 1 < state.slots[c] else 0
    state.written[c] += 1


@jit
def _release(code, state, c, tokens, time):
    """Free `tokens` tokens of channel `c` at `time`; True when one of them has not arrived."""
    if tokens == 0:
        return False
    if state.released[c] + tokens > state.written[c]:
        return True
    last = state.base[c] + (state.take[c] + tokens - 1) % state.slots[c]
    early = state.write_time[last] + code.latency[c] > time
    for _ in range(tokens):
        state.release_time[state.base[c] + state.take[c]] = time
        state.take[c] = state.take[c] + 1 if state.take[c] + 1 < state.slots[c] else 0
    state.released[c] += tokens
    return early


@jit
def _end_segment(code, state, p, s):
    """Last releases of segment `s`, then on to the next; channel of an early release, or -1."""
    for r in range(code.read_lo[s], code.read_lo[s + 1]):
        if _release(code, state, code.read_channel[r], code.release_last[r], state.time[p]):
            return code.read_channel[r]
    state.event[p] = 0
    state.segment[p] += 1
    loop = state.loop[p]
    if state.segment[p] < code.segment_lo[loop + 1]:
        return -1
    state.turn[p] += 1
    if state.turn[p] == code.repeat[loop]:
        state.turn[p] = 0
        loop += 1
        if loop == code.loop_lo[p + 1]:
            loop = code.loop_lo[p]
            state.frame[p] += 1
        state.loop[p] = loop
    state.segment[p] = code.segment_lo[loop]
    return -1
