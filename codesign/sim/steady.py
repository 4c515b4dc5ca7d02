"""Exact certificate of the steady state: a machine whose state repeats, shifted, repeats for ever.

After every frame all channels are empty, so what the future depends on is the time T of the last
event of each process and the release times R of the last `depth` tokens of each channel. An R at
or before T of the writing process cannot bind (the writer's next event is at T + 1 or later), so it
is replaced by that T. When the state x(n) = x(n - k) + c in every entry, every later frame follows
k frames and c cycles behind an earlier one: the interval is c / k, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b

import numpy as np

from codesign.sim.encode import Code
from codesign.sim.engine import State
from codesign.sim.jit import jit


@dataclass(frozen=True)
class Period:
    """From frame `first` on, `frames` frames take `cycles` cycles, for ever."""

    first: int
    frames: int
    cycles: int

    @property
    def interval_cycles(self) -> Fraction:
        """Cycles per frame."""
        return Fraction(self.cycles, self.frames)


class PeriodFinder:
    """Looks at the state after every frame until it repeats."""

    def __init__(self) -> None:
        self.seen: dict[bytes, tuple[int, int]] = {}
        self.frames = 0

    def look(self, code: Code, state: State) -> Period | None:
        """The period, once the state after this frame is an earlier one, shifted."""
        times = clamped(code, state)
        origin = int(times[0])
        key = blake2b((times - origin).tobytes(), digest_size=16).digest()
        frame = self.frames
        self.frames += 1
        if key in self.seen:
            first, then = self.seen[key]
            return Period(first + 1, frame - first, origin - then)
        self.seen[key] = frame, origin
        return None


def clamped(code: Code, state: State) -> np.ndarray:
    """All that the future after a whole frame depends on: last times of processes, then releases.

    int64 (processes + the sum of all depths,), in cycles.
    """
    times = np.empty(len(state.time) + code.depth.sum(), np.int64)
    _fill(times, code.source, code.depth, state)
    return times


@jit
def passed(before, after):
    """Least and most cycles from one such state to another, over their entries; both (entries,)."""
    least = most = after[0] - before[0]
    for i in range(1, len(before)):
        least, most = min(least, after[i] - before[i]), max(most, after[i] - before[i])
    return least, most


@jit
def _fill(times, source, depth, state):
    """Gather the clamped state into `times`: processes first, then channels, oldest slot first."""
    processes = len(state.time)
    for p in range(processes):
        times[p] = state.time[p]
    at = processes
    for c in range(len(depth)):
        floor = state.time[source[c]]
        slot = (state.put[c] - depth[c]) % state.slots[c]
        for _ in range(depth[c]):
            times[at] = max(floor, state.release_time[state.base[c] + slot])
            at += 1
            slot = slot + 1 if slot + 1 < state.slots[c] else 0
