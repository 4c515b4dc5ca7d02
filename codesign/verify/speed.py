"""`python -m codesign.verify.speed DESIGN`: the simulator against Verilator on the same design.

Verilator: one thread, -O3, no trace, only the received beats are written down; its build is told
apart, and filling memories at start-up is part of its run. Ours, with the machine's tables built apart,
too: every timestamp of every frame; and the frames until the steady state is proven, which tell the end
of the last frame exactly. Then all of `codesign simulate`: tables, steady state, marks, timeline.
Seconds are of processor time, so that other work on the machine disturbs them little.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from codesign.board import load_board
from codesign.design import load_design, load_params
from codesign.rtl.build import build
from codesign.sim.encode import encode
from codesign.sim.engine import advance, start
from codesign.sim.machine import machine_of
from codesign.sim.run import run
from codesign.sim.simulate import simulate
from codesign.tools.process import run_tool
from codesign.tools.verilator import INSTALL, compiled_bench
from codesign.verify.expected import times
from codesign.verify.frames import random_frames
from codesign.verify.loading import start_cycle, write_weights
from codesign.verify.stimulus import free_running, write_stimulus

FRAME_COUNTS = (1, 10, 100)
REPEATS = 5
LONG_SECONDS = 10


def main(path: Path) -> None:
    """Print the figures of docs/results/verify.md."""
    design, params = load_design(path), load_params(path)
    board = load_board(design.board)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        build(design, params, board, work / "rtl")
        seconds, program = _timed(lambda: compiled_bench(work / "rtl", "-O3", "+define+EDGES_ONLY"))
        print(f"{design.name}: Verilator build {seconds:.1f} s (0 where it was cached)")
        simulate(design, board)  # compile, or load from the cache
        seconds = _best(lambda: encode(machine_of(design, board)))
        print(f"tables of the simulator: {seconds:.4f} s")
        machine = machine_of(design, board)
        code = encode(machine)
        for frames in FRAME_COUNTS:
            pacing = free_running(design, board, frames)
            write_stimulus(design, pacing, random_frames(design.input, frames, 0).x, work)
            write_weights(work / "rtl", pacing.load_gaps, work)
            last = max(int(t.releases[-1]) for t in times(design, board, pacing).values())
            end = start_cycle(pacing.load_gaps) + last
            command = (program, f"+work={work}", f"+limit={end}")
            rtl = _best(lambda command=command: run_tool(command, work / "rtl", INSTALL))
            full = _best(lambda n=frames: advance(code, start(code), n))
            steady = _best(lambda n=frames: run(machine, code, n).end(n))
            whole = _best(lambda n=frames: simulate(design, board, n))
            print(
                f"{frames} frames, {last + 1:,} cycles: Verilator {rtl:.4f} s, "
                f"every timestamp {full:.6f} s ({rtl / full:,.0f} times), "
                f"steady state {steady:.6f} s ({rtl / steady:,.0f} times), "
                f"codesign simulate {whole:.6f} s ({rtl / whole:,.0f} times)"
            )


def _best(work: Callable[[], object]) -> float:
    """Seconds of the fastest of REPEATS runs; a long one is not repeated."""
    seconds = [_timed(work)[0]]
    while seconds[0] < LONG_SECONDS and len(seconds) < REPEATS:
        seconds.append(_timed(work)[0])
    return min(seconds)


def _timed(work: Callable[[], object]) -> tuple[float, object]:
    begin = _processor_seconds()
    result = work()
    return _processor_seconds() - begin, result


def _processor_seconds() -> float:
    """Of this process and of the programs that it has started."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main(Path(sys.argv[1]))
