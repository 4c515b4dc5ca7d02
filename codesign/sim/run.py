"""One run of a machine, frame by frame, until its period is certified."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codesign.sim.deadlock import explain
from codesign.sim.encode import Code
from codesign.sim.engine import advance, start
from codesign.sim.machine import Machine
from codesign.sim.occupancy import observed_slots, update_high_water
from codesign.sim.ports import PICTURED_FRAMES, BusyPorts
from codesign.sim.steady import Period, PeriodFinder


@dataclass(frozen=True)
class Run:
    """Arrays (processes,) after every frame: last cycle, cycles starved and blocked since reset.

    `first_starts` is the first cycle of each process, `high_water` the most tokens per channel,
    `moves` the times of the tokens at `ports` in each of the first PICTURED_FRAMES frames.
    """

    starts: tuple[np.ndarray, ...]
    ends: tuple[np.ndarray, ...]
    starved: tuple[np.ndarray, ...]
    blocked: tuple[np.ndarray, ...]
    high_water: np.ndarray
    ports: BusyPorts
    moves: tuple[np.ndarray, ...]
    period: Period | None

    @property
    def first_starts(self) -> np.ndarray:
        """First cycle of each process."""
        return self.starts[0]

    def end(self, frames: int) -> np.ndarray:
        """Last cycle of each process in frame number `frames`, counted from 1; exact."""
        there = len(self.ends)
        periods = 0 if frames <= there else -(-(frames - there) // self.period.frames)
        if not periods:
            return self.ends[frames - 1]
        return self.ends[frames - periods * self.period.frames - 1] + periods * self.period.cycles


def run(machine: Machine, code: Code, most_frames: int) -> Run:
    """Simulate until the period is certified, `most_frames` (>= 2) at most; raises Deadlock."""
    state = start(code, observed_slots(code))
    finder = PeriodFinder()
    high_water = np.zeros(len(code.depth), np.int64)
    ports, moves = BusyPorts.of(code), []
    history: list[tuple[np.ndarray, ...]] = []
    period = None
    while period is None and len(history) < most_frames:
        if not advance(code, state, len(history) + 1):
            raise explain(machine)
        update_high_water(high_water, code.tokens_per_frame, state)
        if len(moves) < PICTURED_FRAMES:
            moves.append(ports.times(code, state))
        kept = (state.started, state.time, state.starved, state.blocked)
        history.append(tuple(array.copy() for array in kept))
        period = finder.look(code, state)
    starts, ends, starved, blocked = zip(*history, strict=True)
    return Run(starts, ends, starved, blocked, high_water, ports, tuple(moves), period)
