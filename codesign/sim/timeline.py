"""The first frames of an idle machine as a picture: who works when."""

from __future__ import annotations

import numpy as np

from codesign.sim.encode import Code
from codesign.sim.engine import advance, start
from codesign.sim.machine import Machine
from codesign.sim.occupancy import count_tokens, observed_slots
from codesign.sim.results import Timeline, TimelineRow
from codesign.sim.run import Run

FRAMES = 3
BINS = 200


def timeline_of(machine: Machine, code: Code, run: Run) -> Timeline:
    """At most FRAMES frames in at most BINS bins."""
    frames = min(FRAMES, len(run.ends))
    cycles = int(run.ends[frames - 1].max()) + 1
    bin_cycles = -(-cycles // BINS)
    busy = _busy(machine, code, frames, bin_cycles, -(-cycles // bin_cycles))
    return Timeline(
        bin_cycles,
        tuple(
            TimelineRow(name, tuple(_spans(run, p, frames)), tuple(busy[p].round(4).tolist()))
            for p, name in enumerate(machine.processes)
        ),
    )


def _spans(run: Run, process: int, frames: int) -> list[tuple[int, int]]:
    """First and last cycle of each frame."""
    return [(int(run.starts[n][process]), int(run.ends[n][process])) for n in range(frames)]


def _busy(machine: Machine, code: Code, frames: int, bin_cycles: int, bins: int) -> np.ndarray:
    """Share of each bin (processes, bins) at work: tokens at the port of a process that moves most,
    each worth its part of the process's own interval."""
    state = start(code, observed_slots(code))
    busy = np.zeros((len(machine.processes), bins))
    ports = [_busiest(code, p) for p in range(len(machine.processes))]
    own = [p.interval_cycles for p in machine.processes.values()]
    for frame in range(frames):
        advance(code, state, frame + 1)
        for p, channel in enumerate(ports):
            tokens = code.tokens_per_frame[channel]
            moved = own[p] / tokens / bin_cycles
            count_tokens(
                busy[p], bin_cycles, moved, channel, tokens, code.source[channel] == p, state
            )
    return np.minimum(busy, 1.0)


def _busiest(code: Code, process: int) -> int:
    """The channel at `process` with most tokens."""
    touched = code.touch[code.touch_lo[process] : code.touch_lo[process + 1]]
    return int(touched[np.argmax(code.tokens_per_frame[touched])])
