"""Many random designs in one Verilator build, each with its own test bench, compared as `verify` does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from codesign.board import Board
from codesign.cost.family import load_family
from codesign.design import Design
from codesign.rtl.bench import Names, bench_text
from codesign.rtl.build import files_of
from codesign.rtl.top import instances, top_text
from codesign.sim.machine import machine_of
from codesign.tools.process import run_tool
from codesign.tools.verilator import compiled_bench
from codesign.verify.compare import Difference, first_difference
from codesign.verify.expected import Times, codes, times
from codesign.verify.frames import random_frames
from codesign.verify.records import read_records
from codesign.verify.stimulus import Pacing, any_ready, free_running, stalled, write_stimulus
from tests.hw.harness import MAKE
from tests.hw.random_graphs import random_design

FRAMES = 3
WATCHED_CYCLES = 64  # behind the last expected event
ARBITRARY_SLOWER = 4  # than with random gaps: cycles in which a sink that takes at random is done


@dataclass(frozen=True)
class Graph:
    """The random design of a seed."""

    seed: int

    @cached_property
    def made(self) -> tuple[Design, Mapping[str, np.ndarray], Board]:
        """Design, parameters, board."""
        return random_design(self.seed)

    @property
    def names(self) -> Names:
        """Its modules and its folder in a run."""
        return Names(f"bench{self.seed}", f"graph{self.seed}", f"graph{self.seed}")

    @cached_property
    def x(self) -> np.ndarray:
        """Its input: integers (frames, elements)."""
        return random_frames(self.made[0].input, FRAMES, self.seed).x

    def pacings(self) -> tuple[Pacing, ...]:
        """The three runs of `codesign verify`."""
        design, _, board = self.made
        interval = machine_of(design, board).own_interval_cycles
        return (
            free_running(design, board, FRAMES),
            stalled(design, board, FRAMES, interval, self.seed),
            any_ready(design, board, FRAMES, interval, self.seed + 1),
        )


def write_sources(graphs: Sequence[Graph], folder: Path) -> None:
    """One bench of all graphs, as `compiled_bench` builds it."""
    files: dict[str, str] = {}
    for graph in graphs:
        design, params, board = graph.made
        files |= files_of(design, params, board)
        rtls = instances(design, params, load_family(board.family))
        files[f"{graph.names.top}.sv"] = top_text(design, rtls, graph.names.top)
        files[f"{graph.names.bench}.sv"] = bench_text(design, graph.names)
    del files["top.sv"]
    benches = "".join(f"  {g.names.bench} of_{g.names.bench} (.clk_i);\n" for g in graphs)
    files["tb.sv"] = f"module tb (input logic clk_i);\n{benches}endmodule\n"
    files["bench.f"] = "".join(f"{name}\n" for name in files if name.endswith(".sv"))
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def differences(graphs: Sequence[Graph], work: Path) -> Iterator[str]:
    """Every design and run of `graphs` whose hardware is not as expected, with the first place."""
    write_sources(graphs, work / "rtl")
    program = compiled_bench(work / "rtl", "-O0", "-MAKEFLAGS", MAKE)
    for pacings in zip(*(graph.pacings() for graph in graphs), strict=True):
        folder = work / pacings[0].name.replace(" ", "-")
        yield from _run(graphs, pacings, program, folder)


def _run(
    graphs: Sequence[Graph], pacings: Sequence[Pacing], program: Path, folder: Path
) -> Iterator[str]:
    """One run of all graphs at once."""
    expected = []
    for graph, pacing in zip(graphs, pacings, strict=True):
        design, _, board = graph.made
        expected.append(times(design, board, pacing))
        own = folder / graph.names.folder
        own.mkdir(parents=True)
        write_stimulus(design, pacing, graph.x, own)
    timed = pacings[0].ready_seed == 0
    last = max(int(t[-1]) for run in expected for e in run.values() for t in (e.issues, e.releases))
    limit = last + WATCHED_CYCLES if timed else ARBITRARY_SLOWER * last
    ready = () if timed else (f"+ready={pacings[0].ready_seed}",)
    done = run_tool(
        (program, f"+work={folder}", f"+limit={limit}", *ready), folder.parent / "rtl", ""
    )
    if done.exit_code:
        yield f"the hardware stopped itself: {done.tail(3)}"
        return
    for graph, wanted in zip(graphs, expected, strict=True):
        found = _difference(graph, wanted, folder / graph.names.folder, timed)
        if found:
            yield f"graph {graph.seed}, {pacings[0].name}: {found}"
    shutil.rmtree(folder)


def _difference(
    graph: Graph, expected: Mapping[str, Times], folder: Path, timed: bool
) -> Difference | None:
    """The first place of one graph in one run."""
    design, params, _ = graph.made
    records = read_records(folder, design)
    wanted = codes(design, params, graph.x)
    return first_difference(design, records, wanted, expected, timed)
