"""The first frames of an idle machine as a picture: who works when."""

from __future__ import annotations

import numpy as np

from codesign.sim.encode import Code
from codesign.sim.machine import Machine
from codesign.sim.results import Timeline, TimelineRow
from codesign.sim.run import Run

BINS = 200


def timeline_of(machine: Machine, code: Code, run: Run) -> Timeline:
    """The first frames (`Run.moves`) in at most BINS bins."""
    frames = len(run.moves)
    cycles = int(run.ends[frames - 1].max()) + 1
    bin_cycles = -(-cycles // BINS)
    busy = _busy(machine, code, run, bin_cycles, -(-cycles // bin_cycles))
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


def _busy(machine: Machine, code: Code, run: Run, bin_cycles: int, bins: int) -> np.ndarray:
    """Share of each bin (processes, bins) at work: tokens at the port of a process that moves most,
    each worth its part of the process's own interval."""
    own = np.array([p.interval_cycles for p in machine.processes.values()])
    tokens = code.tokens_per_frame[run.ports.channels]
    first = np.repeat(np.arange(len(own)) * bins, tokens)
    counts = sum(
        np.bincount(first + times // bin_cycles, minlength=len(own) * bins) for times in run.moves
    )
    shares = counts.reshape(len(own), bins) * (own / tokens / bin_cycles)[:, None]
    return np.minimum(shares, 1.0)
