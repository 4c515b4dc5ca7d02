"""Does a design keep an interval? Answered by exact simulation, for one depth after another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from codesign.board import Board
from codesign.design import Design
from codesign.sim.encode import Code, encode
from codesign.sim.engine import advance, start
from codesign.sim.host import SOURCE
from codesign.sim.machine import machine_of
from codesign.sim.occupancy import observed_slots, update_high_water
from codesign.sim.simulate import paced
from codesign.sim.steady import Period, PeriodFinder

# Frames to wait for the certificate of the steady state; without one the answer is no.
MOST_FRAMES = 64
# Frames in a row that end late by as much as the one before, or more: taken as "does not keep up".
# That may be a long transient, so the answer errs towards deeper FIFOs, never towards a stall.
LATE_FRAMES = 5
NO_CHANGE: Mapping[str, int] = {}


class Oracle:
    """The machine of `design` with its source paced at one frame per `interval_cycles`.

    A source that is not paced sends no later, and every time of the machine only falls with it, so
    what the paced machine keeps the real one keeps as well.
    """

    def __init__(self, design: Design, board: Board, interval_cycles: int) -> None:
        machine = machine_of(design, board)
        slowed = machine.with_process(SOURCE, paced(machine.processes[SOURCE], interval_cycles))
        self.interval_cycles = interval_cycles
        self.code = encode(slowed)
        self.index = {c.name: i for i, c in enumerate(machine.channels)}

    def sustains(self, depths: Mapping[str, int] = NO_CHANGE) -> bool:
        """True when these depths (others as designed) are proven to keep the interval for ever."""
        period = _period(self._with(depths), pace=self.interval_cycles)
        return period is not None and period.interval_cycles <= self.interval_cycles

    def occupancy(self, names: tuple[str, ...], frames_deep: int) -> dict[str, int] | None:
        """Most tokens in each named channel when none of them is ever full.

        Depths of that many tokens allow the same schedule. None when even then it stops.
        """
        tokens = self.code.tokens_per_frame
        roomy = {n: int(frames_deep * tokens[self.index[n]]) + 2 for n in names}
        code = self._with(roomy)
        high = np.zeros(len(tokens), np.int64)
        if _period(code, high) is None:
            return None
        return {n: int(high[self.index[n]]) for n in names}

    def _with(self, depths: Mapping[str, int]) -> Code:
        depth = self.code.depth.copy()
        for name, tokens in depths.items():
            depth[self.index[name]] = tokens
        return self.code._replace(depth=depth)


def _period(
    code: Code, high_water: np.ndarray | None = None, pace: int | None = None
) -> Period | None:
    """Run until the state repeats; None on deadlock, or when it does not repeat in time.

    With `pace` (cycles per frame) also None as soon as frames end ever later.
    """
    state = start(code, None if high_water is None else observed_slots(code))
    finder, ended, before, late = PeriodFinder(), 0, 0, 0
    for frame in range(1, MOST_FRAMES + 1):
        if not advance(code, state, frame):
            return None
        if high_water is not None:
            update_high_water(high_water, code.tokens_per_frame, state)
        period = finder.look(code, state)
        if period is not None:
            return period
        # The sink is the last process.
        took, ended = int(state.time[-1]) - ended, int(state.time[-1])
        late = late + 1 if pace and took > pace and took >= before else 0
        before = took
        if late == LATE_FRAMES:
            return None
    return None
