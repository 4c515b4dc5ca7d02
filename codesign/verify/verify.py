"""A design's hardware under Verilator: every bit of every beat, and the cycle it moves in."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import msgspec
import numpy as np

from codesign.blocks.base import Params
from codesign.board import Board, load_board
from codesign.design import HOST, Design, load_design, load_params
from codesign.errors import RtlMismatch
from codesign.rtl.build import build
from codesign.sim.machine import machine_of
from codesign.tools.process import run_tool
from codesign.tools.verilator import INSTALL, BuildFailed, compiled_bench, find_verilator
from codesign.verify.compare import Difference, first_difference
from codesign.verify.expected import Times, codes, times
from codesign.verify.frames import Frames, chosen_frames
from codesign.verify.loading import check_start, start_cycle, write_weights
from codesign.verify.records import Record, read_records
from codesign.verify.stimulus import Pacing, any_ready, free_running, stalled, write_stimulus

RESET_CYCLES = 4  # hw/bench/bench_control.sv
WATCHED_CYCLES = 64  # behind the last expected event, for events that should not be
WAVE_BEFORE_CYCLES, WAVE_BEHIND_CYCLES = 400, 100


class VerifiedRun(msgspec.Struct, frozen=True):
    """One run that is as expected: `times` cycles of issue and release, `values` elements compared.

    `times` is 0 where the pattern of ready is arbitrary: data, order and loss are compared there.
    """

    pacing: str
    cycles: int
    times: int
    values: int
    seconds: float


class Verification(msgspec.Struct, frozen=True):
    """What was compared and found equal, channel by channel.

    `startup_cycles`: the hardware filled its memories in so many, as the simulator states.
    """

    design: str
    frames: int
    channels: int
    outputs: int
    inputs: str
    runs: tuple[VerifiedRun, ...]
    verilator: str
    build_seconds: float
    startup_cycles: int = 0

    @property
    def sentence(self) -> str:
        """The result for a person."""
        start = f", after {self.startup_cycles:,} cycles of loading as stated"
        loaded = start if self.startup_cycles else ""
        counts = sum(r.times for r in self.runs), sum(r.values for r in self.runs)
        return (
            f"the hardware is equal to the model: {self.outputs:,} output elements of {self.frames} "
            f"frames, {counts[1]:,} values and {counts[0]:,} cycles on {self.channels} channels in "
            f"{len(self.runs)} runs{loaded}"
        )


@dataclass(frozen=True)
class Bench:
    """A built test bench and what it is compared with."""

    design: Design
    board: Board
    x: np.ndarray
    codes: dict[str, np.ndarray]
    rtl: Path
    program: Path
    work: Path


def verify_folder(
    path: Path, frames: int | None, inputs: Path | None, seed: int, out: Path | None
) -> Verification:
    """`verify_design` for the design in `path`, a folder or its design.json.

    The work folder is `out`, else a temporary one that is kept only on failure.
    """
    design, params = load_design(path), load_params(path)
    folder = path if path.is_dir() else path.parent
    given = chosen_frames(design.input, folder, frames, inputs, seed)
    work = out or Path(tempfile.mkdtemp(prefix="codesign-verify-"))
    try:
        found = verify_design(design, params, load_board(design.board), given, work, seed)
    except (RtlMismatch, BuildFailed):
        raise  # they name the folder
    except BaseException:
        _drop(work, out)
        raise
    _drop(work, out)
    return found


def _drop(work: Path, out: Path | None) -> None:
    """Remove a temporary work folder; one that the user named is the user's."""
    if out is None:
        shutil.rmtree(work)


def verify_design(
    design: Design, params: Params, board: Board, given: Frames, work: Path, seed: int = 0
) -> Verification:
    """Run the hardware of `design` on the frames `given`, in the folder `work`.

    Free-running, with random gaps at source and sink, and with an arbitrary pattern of ready.
    Raises RtlMismatch with the first place that differs (`work` then holds a waveform), Deadlock,
    ToolMissing, BuildFailed, and what `codesign.rtl.build.build` raises.
    """
    tool = find_verilator()
    rtl = work / "rtl"
    build(design, params, board, rtl)
    begin = time.perf_counter()
    program = compiled_bench(rtl)
    build_seconds = time.perf_counter() - begin
    x = given.x
    bench = Bench(design, board, x, codes(design, params, x), rtl, program, work)
    machine = machine_of(design, board)
    frames, interval = len(x), machine.own_interval_cycles
    pacings = (
        free_running(design, board, frames),
        stalled(design, board, frames, interval, seed),
        any_ready(design, board, frames, interval, seed + 1),
    )
    runs = tuple(_verified(bench, pacing) for pacing in pacings)
    outputs = bench.codes[next(s.name for s in design.streams if s.target == HOST)].size
    return Verification(
        design=design.name,
        frames=frames,
        channels=len(machine.channels),
        outputs=outputs,
        inputs=given.source,
        runs=runs,
        verilator=tool.version,
        build_seconds=build_seconds,
        startup_cycles=start_cycle(pacings[0].load_gaps),
    )


def _verified(bench: Bench, pacing: Pacing) -> VerifiedRun:
    """One run and its comparison."""
    begin = time.perf_counter()
    folder = bench.work / pacing.name.replace(" ", "-")
    expected = times(bench.design, bench.board, pacing)
    records = _run(bench, pacing, expected, folder)
    timed = pacing.ready_seed == 0
    found = first_difference(bench.design, records, bench.codes, expected, timed)
    if found:
        raise _mismatch(bench, pacing, folder, found)
    shutil.rmtree(folder)
    return VerifiedRun(
        pacing.name,
        cycles=1 + max(int(r.releases[-1]) for r in records.values()),
        times=sum(len(r.issues) + len(r.releases) for r in records.values()) if timed else 0,
        values=sum(c.size for c in bench.codes.values()),
        seconds=time.perf_counter() - begin,
    )


def _run(
    bench: Bench, pacing: Pacing, expected: dict[str, Times], folder: Path
) -> dict[str, Record]:
    """Run the test bench; the record of every channel. Raises RtlMismatch when hardware objects."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_stimulus(bench.design, pacing, bench.x, folder)
    write_weights(bench.rtl, pacing.load_gaps, folder)
    last = max(int(t[-1]) for e in expected.values() for t in (e.issues, e.releases))
    done = run_tool((bench.program, *_arguments(pacing, last, folder)), bench.rtl, INSTALL)
    if done.exit_code:
        raise RtlMismatch(
            f"design {bench.design.name}, {pacing.name}: the hardware stopped itself: "
            f"{done.tail(3)}; the run is kept in {folder}",
            folder=str(folder),
            output=done.output,
        )
    check_start(bench.design, pacing.name, pacing.load_gaps, folder)
    return read_records(folder, bench.design)


def _arguments(pacing: Pacing, last_cycle: int, folder: Path) -> tuple[str, ...]:
    """Where the run works and when it ends; `last_cycle` is that of the paced run."""
    work = f"+work={folder.resolve()}"
    if pacing.ready_seed:
        return work, f"+ready={pacing.ready_seed}", f"+idle={2 * last_cycle + 1000}"
    return work, f"+limit={start_cycle(pacing.load_gaps) + last_cycle + WATCHED_CYCLES}"


def _mismatch(bench: Bench, pacing: Pacing, folder: Path, found: Difference) -> RtlMismatch:
    wave = _wave(bench, pacing, folder, start_cycle(pacing.load_gaps) + found.cycle)
    return RtlMismatch(
        f"design {bench.design.name}, {pacing.name}: hardware and model differ first at {found}; "
        f"waveform: {wave}",
        pacing=pacing.name,
        waveform=str(wave),
        **asdict(found),
    )


def _wave(bench: Bench, pacing: Pacing, folder: Path, cycle: int) -> Path:
    """The run again, with every signal around `cycle` behind reset in a VCD file."""
    wave = folder / "wave.vcd"
    first = max(0, cycle - WAVE_BEFORE_CYCLES)
    end = cycle + RESET_CYCLES + WAVE_BEHIND_CYCLES
    program = compiled_bench(bench.rtl, "-Os", "--trace")
    limit = f"+limit={cycle + WAVE_BEHIND_CYCLES}"
    window = (f"+wave={wave.resolve()}", f"+wave_from={first}", f"+wave_to={end}", limit)
    ready = f"+ready={pacing.ready_seed}"
    run_tool((program, f"+work={folder.resolve()}", ready, *window), bench.rtl, INSTALL)
    return wave
