"""Exact interval, latency, stalls and FIFO marks of a design."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from codesign.board import Board
from codesign.design import Design
from codesign.design_rules import check_memories
from codesign.program import Loop, Process
from codesign.sim.encode import Code, encode
from codesign.sim.engine import State, advance, start
from codesign.sim.host import SINK, SOURCE
from codesign.sim.machine import Machine, machine_of
from codesign.sim.results import ChannelUse, Simulation, StageUse, TokenTimes
from codesign.sim.run import Run, run
from codesign.sim.startup import startup_cycles
from codesign.sim.timeline import timeline_of

FREE_FRAMES = 64  # without a certificate until then, the host is paced


def simulate(
    design: Design, board: Board, frames: int | None = None, trace: bool = False
) -> Simulation:
    """Simulate `frames` frames of `design` on `board`, by default until the steady state is proven.

    Frames behind the proof are extrapolated exactly. `trace` adds the times of every token of the
    frames that are reported. Raises Deadlock with its cause and cure, IllegalFold for a memory
    that the family lacks.
    """
    check_memories(design, board)
    machine = machine_of(design, board)
    found = simulate_machine(machine, design.clock_hz, frames, trace)
    return msgspec.structs.replace(found, startup_cycles=startup_cycles(design, board))


def simulate_machine(
    machine: Machine, clock_hz: float, frames: int | None = None, trace: bool = False
) -> Simulation:
    """The same for a machine with the host's two processes, each one segment a frame."""
    code = encode(machine)
    free = run(machine, code, max(frames or 0, FREE_FRAMES))
    interval, steady, basis = _steady(machine, free)
    frames = frames or len(free.ends)
    names = tuple(machine.processes)
    first, last = names.index(SOURCE), names.index(SINK)
    return Simulation(
        interval_cycles=interval,
        latency_cycles=int(free.ends[0][last] - free.first_starts[first]),
        total_cycles=int(free.end(frames).max()) + 1,
        frames=frames,
        fps=clock_hz / interval,
        clock_hz=clock_hz,
        io_bound=_io_bound(machine, interval),
        steady=steady,
        stages=_stages(names, basis),
        channels=tuple(
            ChannelUse(c.name, c.depth, int(n))
            for c, n in zip(machine.channels, free.high_water, strict=True)
        ),
        timeline=timeline_of(machine, code, free),
        trace=_trace(machine, code, frames) if trace else (),
    )


def _steady(machine: Machine, free: Run) -> tuple[float, str, Run]:
    """(interval, how it is known, the run whose last frames are in steady state).

    A FIFO that fills over hundreds of frames hides the period. If the machine, its host held back
    to one frame per interval of the slowest process, keeps that pace for ever, then that is the
    interval: it is a lower bound of any, and holding back one process never speeds up the rest.
    """
    if free.period:
        return float(free.period.interval_cycles), "free", free
    pace = machine.own_interval_cycles
    slowed = machine.with_process(SOURCE, paced(machine.processes[SOURCE], pace))
    held = run(slowed, encode(slowed), FREE_FRAMES)
    if held.period and held.period.interval_cycles == pace:
        return float(pace), "paced", held
    return float((free.ends[-1] - free.ends[-2]).max()), "bounded", free


def paced(process: Process, interval_cycles: int) -> Process:
    """`process`, one segment that writes a frame, slowed evenly to `interval_cycles` a frame."""
    (segment,) = process.loops[0].segments
    gap = max(segment.gap, interval_cycles // segment.count)
    first = max(gap, interval_cycles - (segment.count - 1) * gap)
    return replace(process, loops=(Loop(1, (replace(segment, gap=gap, first_gap=first),)),))


def _io_bound(machine: Machine, interval_cycles: float) -> bool:
    own = {name: p.interval_cycles for name, p in machine.processes.items()}
    host = max(own.pop(SOURCE), own.pop(SINK))
    return host >= interval_cycles and host > max(own.values(), default=0)


def _stages(names: tuple[str, ...], basis: Run) -> tuple[StageUse, ...]:
    """Shares of the last period (the last frame where there is none)."""
    back = min(basis.period.frames if basis.period else 1, len(basis.ends) - 1)
    cycles = basis.ends[-1] - basis.ends[-1 - back]
    starved = (basis.starved[-1] - basis.starved[-1 - back]) / cycles
    blocked = (basis.blocked[-1] - basis.blocked[-1 - back]) / cycles
    rows = zip(names, starved.tolist(), blocked.tolist(), strict=True)
    return tuple(StageUse(name, 1 - s - b, s, b) for name, s, b in rows)


def _trace(machine: Machine, code: Code, frames: int) -> tuple[TokenTimes, ...]:
    """Times of every token of `frames` frames."""
    state = start(code, code.tokens_per_frame * frames)
    advance(code, state, frames)
    return tuple(
        TokenTimes(channel.name, *_times(code, state, c, frames))
        for c, channel in enumerate(machine.channels)
    )


def _times(code: Code, state: State, channel: int, frames: int) -> tuple[tuple[int, ...], ...]:
    base = state.base[channel]
    tokens = slice(base, base + code.tokens_per_frame[channel] * frames)
    return tuple(state.write_time[tokens].tolist()), tuple(state.release_time[tokens].tolist())
