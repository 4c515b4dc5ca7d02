"""Which FIFO depths keep an interval? Answered by exact simulation, for one set after another.

The machine is max-plus linear: every time falls or stays when a FIFO gets deeper, or when the state
before does. So when no entry of the state is more than one interval later after a frame, then that
stays so for ever, and a machine that starts idle is never later than it: no deadlock, the interval
is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from codesign.program import Loop, Process, Read, Segment
from codesign.search.fifo_split import Run, probe_of, probed
from codesign.sim import kernels as k
from codesign.sim.encode import Code, encode
from codesign.sim.engine import State, advance, start
from codesign.sim.host import SOURCE
from codesign.sim.machine import Channel, Machine
from codesign.sim.occupancy import observed_slots, update_high_water
from codesign.sim.simulate import paced
from codesign.sim.steady import clamped, passed

# Frames to wait for a state that repeats: of an idle machine, and of one that was in steady state
# before its FIFOs changed. Without one the answer is no.
IDLE_FRAMES, WARM_FRAMES = 64, 16
# Frames in a row in which every process slips as much as in the one before, or more: taken as "does
# not keep up". A delay that wanders down the machine is none: what is before it no longer slips. The
# answer errs towards deeper FIFOs, never towards a stall.
IDLE_LATE_FRAMES, WARM_LATE_FRAMES = 2, 1

# The process that lets a frame in.
CLOCK = "host.clock"


@dataclass
class Budget:
    """Events that may still be simulated: a limit that does not depend on the machine's speed."""

    most: int
    spent: int = 0
    short: bool = False

    def spend(self, events: int) -> bool:
        """Count `events`; False, and `short` from then on, when that would be more than `most`."""
        if self.spent + events > self.most:
            self.short = True
            return False
        self.spent += events
        return True


@dataclass(frozen=True)
class Steady:
    """Most tokens `used` of each FIFO in a steady state: depths of that many allow the same schedule;
    and the times of the events of some processes in a frame of it."""

    used: Mapping[str, int]
    times: Mapping[str, np.ndarray]


class Oracle:
    """`machine`, its source (where it has one) letting a frame in every `interval_cycles`.

    A source that nobody holds back sends no later, and every time of the machine only falls with it,
    so what this machine keeps the real one keeps as well; and a schedule of the real one with that
    interval never begins a frame earlier, but for a shift of the whole. Answers cost events of `budget`; when
    it is used up every answer is no.
    """

    def __init__(self, machine: Machine, interval_cycles: int, budget: Budget) -> None:
        self.machine, self.interval_cycles, self.budget = machine, interval_cycles, budget
        clocked = _clocked(machine, interval_cycles)
        self.code, self.processes = encode(clocked), tuple(clocked.processes)
        self.index = {c.name: i for i, c in enumerate(self.machine.channels)}
        self.events_per_frame = sum(p.events_per_frame for p in self.machine.processes.values())
        self.state: State | None = None

    def tokens_per_frame(self, name: str) -> int:
        """Tokens that channel `name` carries in a frame."""
        return int(self.code.tokens_per_frame[self.index[name]])

    def starts(
        self,
        depths: Mapping[str, int],
        spare: int = 0,
        slower: Mapping[str, int] | None = None,
        ends: Mapping[str, int] | None = None,
    ) -> bool:
        """True when an idle machine of these depths (others as designed) is proven to keep the
        interval; `holds` goes on from there, with depths up to `spare` more.

        `slower` tells the cycles by which FIFOs are slower than designed; `ends` when each process
        ended the frame before (see `ends`), where the machine starts later than idle.
        """
        code = self._with(depths, self.code)
        latency = code.latency.copy()
        for name, extra in (slower or {}).items():
            latency[self.index[name]] += extra
        code = code._replace(latency=latency)
        self.state = start(code, code.depth + spare)
        if ends:
            self.state.time[:] = [ends[name] for name in self.processes]
        return self._settles(code, self.state, IDLE_FRAMES, IDLE_LATE_FRAMES)

    def ends(self) -> dict[str, int]:
        """Cycle in which each process ended its last frame, less an interval for every frame."""
        times = self.state.time - self.state.frame * self.interval_cycles
        return dict(zip(self.processes, times.tolist(), strict=True))

    def holds(self, fifos: Mapping[str, tuple[int, int]]) -> bool:
        """True when the machine in steady state keeps the interval with these FIFOs as well.

        Maps names to (tokens, extra cycles): a FIFO with `extra` more slots that is as much slower.
        After a no the machine is as it was before.
        """
        tables = self.state.tables
        before = tables.processes.copy(), tables.channels.copy(), tables.freed.copy()
        for name, (tokens, extra) in fifos.items():
            i = self.index[name]
            tables.channels[i, k.DEPTH] = tokens + extra
            tables.channels[i, k.LATENCY] = self.code.latency[i] + extra
        code = self.code._replace(depth=tables.channels[:, k.DEPTH].copy())
        if self._settles(code, self.state, WARM_FRAMES, WARM_LATE_FRAMES):
            return True
        for table, kept in zip(
            (tables.processes, tables.channels, tables.freed), before, strict=True
        ):
            table[:] = kept
        return False

    def steady(self, depths: Mapping[str, int], names: Run) -> Steady | None:
        """The steady state of these depths and when the events of processes `names` come in it.

        The source is paced evenly, so that no more tokens come early than need be. None when these
        depths do not keep the interval.
        """
        watched = probed(_paced(self.machine, self.interval_cycles), names)
        code = self._with(depths, encode(watched))
        state = start(code, observed_slots(code))
        if not self._settles(code, state, IDLE_FRAMES, IDLE_LATE_FRAMES, steadily=True):
            return None
        high = np.zeros(len(code.depth), np.int64)
        update_high_water(high, code.tokens_per_frame, state)
        index = {c.name: i for i, c in enumerate(watched.channels)}
        times = {name: _written(code, state, index[probe_of(name)]) for name in names}
        return Steady({name: int(high[index[name]]) for name in depths}, times)

    def _with(self, depths: Mapping[str, int], code: Code) -> Code:
        depth = code.depth.copy()
        for name, tokens in depths.items():
            depth[self.index[name]] = tokens
        return code._replace(depth=depth)

    def _settles(
        self, code: Code, state: State, most_frames: int, most_late: int, steadily: bool = False
    ) -> bool:
        """Run until the state is back one interval later, or earlier if not `steadily`; False on
        deadlock, or when it drifts."""
        before, slip, late, processes = clamped(code, state), None, 0, len(state.time)
        for _ in range(most_frames):
            if not self.budget.spend(self.events_per_frame):
                return False
            if not advance(code, state, int(state.frame[0]) + 1):
                return False
            after = clamped(code, state)
            least, most = passed(before, after)
            if most <= self.interval_cycles and (not steadily or least == self.interval_cycles):
                return True
            slipped = slip
            slip = after[:processes] - before[:processes] - self.interval_cycles
            before = after
            worse = slipped is not None and slip.max() > 0 and (slip >= slipped).all()
            late = late + 1 if worse else 0
            if late == most_late:
                return False
        return False


def _written(code: Code, state: State, channel: int) -> np.ndarray:
    """When the tokens of the last frame were written to a channel that holds a frame."""
    tokens, slots = int(code.tokens_per_frame[channel]), int(state.slots[channel])
    places = (int(state.put[channel]) - tokens + np.arange(tokens)) % slots
    return state.write_time[state.base[channel] + places]


def _paced(machine: Machine, interval_cycles: int) -> Machine:
    if SOURCE not in machine.processes:
        return machine
    return machine.with_process(SOURCE, paced(machine.processes[SOURCE], interval_cycles))


def _clocked(machine: Machine, interval_cycles: int) -> Machine:
    """Frames of the source begin at a tick each; within a frame it is as fast as ever."""
    if SOURCE not in machine.processes:
        return machine
    tick = Process(CLOCK, (Loop(1, (Segment(1, writes=("ticks",), gap=interval_cycles),)),))
    source = machine.processes[SOURCE]
    (frame,) = source.loops[0].segments
    segments = [replace(frame, count=1, reads=(Read("ticks"),))]
    if frame.count > 1:
        segments.append(replace(frame, count=frame.count - 1, first_gap=None))
    source = replace(source, loops=(Loop(1, tuple(segments)),))
    processes = {**machine.processes, SOURCE: source, CLOCK: tick}
    ticks = Channel(CLOCK, CLOCK, "ticks", SOURCE, "ticks", depth=1)
    return Machine(processes, (*machine.channels, ticks))
