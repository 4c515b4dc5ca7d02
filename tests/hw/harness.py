"""Many block instances, each alone between sources and sinks, in one Verilator build.

The design under test and its channels are hw/*.sv; sources, sinks and monitors are bench/*.sv.
Data and gaps are files that a run reads, so one build serves any number of runs.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from codesign.blocks.base import Block, Port
from codesign.blocks.samples import sample
from codesign.cost.family import Family, load_family
from codesign.files import package_data
from codesign.program import InnerChannel
from codesign.rtl.instance import Loaded, Rtl, instance_text
from codesign.rtl.wire import words
from codesign.sim.machine import Channel, Machine
from tests.hw.records import differences_in
from tests.marks import VERILATOR
from tests.sim.machines import paced
from tests.sim.traces import Times, engine_times

BENCH = Path(__file__).parent / "bench"
XC7, XCUP, ICE40 = map(load_family, ("xc7", "xcup", "ice40"))
FLAGS = ("--cc", "--exe", "--build", "-O3", "-Wno-fatal", "-Wno-WIDTH", "--top-module", "bench")
# One unit: the headers take longer to compile than a small block.
MAKE = "OPT_SLOW=-O0 OPT_GLOBAL=-O0 VM_PARALLEL_BUILDS=0"
FRAMES = 3


@dataclass(frozen=True)
class Case:
    """A block between channels; `depths` and `styles` are by port name ("in0", "out0", ...)."""

    block: Block
    params: Mapping[str, np.ndarray]
    depths: Mapping[str, int]
    styles: Mapping[str, int]
    family: Family = XC7

    @property
    def label(self) -> str:
        """Block and folding."""
        f = self.block.fold
        return f"{self.block.name} pe{f.pe} simd{f.simd} {f.multiplier} {f.memory}"

    @cached_property
    def rtl(self) -> Rtl:
        """Its instance."""
        return self.block.rtl(self.params, self.family)

    @property
    def ahead(self) -> int:
        """Events that open a frame without any input: hardware does those of one more frame."""
        first = self.block.program().processes[-1].loops[0]
        return first.repeat * first.segments[0].count if not first.segments[0].reads else 0

    @property
    def ports(self) -> dict[str, Port]:
        """Ports by name, inputs first."""
        named = {f"in{i}": p for i, p in enumerate(self.block.inputs())}
        return named | {f"out{i}": p for i, p in enumerate(self.block.outputs())}

    @property
    def inner(self) -> tuple[InnerChannel, ...]:
        """The channels inside of it; the signals of a netlist have other names."""
        in_library = (package_data("hw") / f"{self.rtl.module}.sv").exists()
        return self.block.program().channels if in_library else ()

    @property
    def channels(self) -> tuple[str, ...]:
        """All that is watched, in the order of the monitors."""
        return *self.ports, *(channel.name for channel in self.inner)

    @cached_property
    def data(self) -> dict[str, tuple[int, ...]]:
        """The beats of FRAMES frames on every port: random inputs, and what `execute` says."""
        block = self.block
        inputs = [sample(p.qtype, FRAMES, p.elements, seed=i) for i, p in enumerate(block.inputs())]
        for values, port in zip(inputs, block.inputs(), strict=True):
            values[-1, ::2], values[-1, 1::2] = port.qtype.max, port.qtype.min
        arrays = (*inputs, *block.execute(self.params, *inputs))
        ports = self.ports.items()
        return {n: words(a, p.qtype, p.lanes) for (n, p), a in zip(ports, arrays, strict=True)}

    def machine(self, gaps: Mapping[str, Sequence[int]]) -> Machine:
        """The same arrangement for the simulator, with these gaps per beat of a frame."""
        program = self.block.program()
        processes = {f"block.{p.name}": p for p in program.processes}
        reader, writer = (f"block.{program.processes[i].name}" for i in (0, -1))
        channels = [
            Channel(c.name, f"block.{c.source}", c.name, f"block.{c.target}", c.name, c.depth)
            for c in program.channels
        ]
        for name in self.ports:
            depth, style, outer = self.depths[name], self.styles[name], f"host.{name}"
            if name.startswith("in"):
                processes[outer] = paced(outer, list(gaps[name]), writes="out0")
                ends, latency = (outer, "out0", reader, name), 1 + style
            else:
                processes[outer] = paced(outer, list(gaps[name]), reads="in0")
                latency = 1 + style + program.processes[-1].latency_cycles
                ends = (writer, name, outer, "in0")
            channels.append(Channel(name, *ends, depth, latency))
        return Machine(processes, tuple(channels))


def case_of(block: Block, params: Mapping[str, np.ndarray], seed: int) -> Case:
    """A case whose channels are as deep as full rate needs, or of random depth; styles are random."""
    dice = random.Random(seed)
    styles, depths = {}, {}
    latency = block.program().processes[-1].latency_cycles
    full_rate = seed % 2 == 0
    for i in range(len(block.inputs())):
        styles[f"in{i}"] = dice.choice((0, 0, 1))
        depths[f"in{i}"] = 2 + styles[f"in{i}"] if full_rate else dice.randint(1, 4)
    for i in range(len(block.outputs())):
        styles[f"out{i}"] = dice.choice((0, 0, 1))
        depth = 2 + latency + styles[f"out{i}"]
        depths[f"out{i}"] = depth if full_rate else dice.randint(1, depth)
    # Transfers of 72 and of 16 bits.
    family = dice.choice((XCUP, ICE40)) if block.large_memories() else XC7
    return Case(block, params, depths, styles, family)


def gaps_of(case: Case, seed: int | None) -> dict[str, list[int]]:
    """A gap per beat of a frame on every port: 1, or random by `seed`."""
    dice = random.Random(seed)
    return {
        name: [
            1 if seed is None else dice.choice((1, 1, 1, 2, 5)) for _ in range(p.beats_per_frame)
        ]
        for name, p in case.ports.items()
    }


def bench_text(cases: Sequence[Case]) -> str:
    """The top: every case with its channels, sources, sinks and monitors."""
    text = ["module bench (input logic clk_i, input logic rst_i, input logic load_rst_i);"]
    number = 0
    for i, case in enumerate(cases):
        for name, port in case.ports.items():
            text.append(_stream_text(f"c{i}_{name}", case, name, port, number))
            number += 1
        for channel in case.inner:
            text.append(_inner_text(f"c{i}", channel.name, number))
            number += 1
        files = {name: f"c{i}_{name}.hex" for name in case.rtl.memories}
        text += [_large_text(f"c{i}_{port}", ram) for port, ram in case.rtl.loaded.items()]
        text.append(instance_text(case.rtl, f"c{i}", files, _nets(f"c{i}", case)))
    return "\n".join([*text, "endmodule", ""])


def _stream_text(net: str, case: Case, name: str, port: Port, number: int) -> str:
    """Nets, channel, monitor and outer end of one port."""
    tokens = FRAMES * port.beats_per_frame
    clock = ".clk_i(clk_i), .rst_i(rst_i)"
    source, inward = f"{net}_issue", name.startswith("in")
    delivered = source if inward else f"{net}_dvalid"
    end = (
        f"token_source #(.Width({port.bits}), .Tokens({tokens}), .Gaps({port.beats_per_frame}), "
        f'.DataFile("{net}.hex"), .GapFile("{net}_gap.hex")) {net}_end ({clock}, '
        f".space_i({net}_space), .issue_o({net}_issue), .data_o({net}_written));"
        if inward
        else f'token_sink #(.Gaps({port.beats_per_frame}), .GapFile("{net}_gap.hex")) {net}_end '
        f"({clock}, .valid_i({net}_valid), .ready_o({net}_ready));"
    )
    channel = (
        f"channel #(.Width({port.bits}), .Depth({case.depths[name]}), .Style({case.styles[name]})) "
        f"{net}_channel ({clock}, .space_o({net}_space), .issue_i({net}_issue), "
        f".data_valid_i({delivered}), .data_i({net}_written), "
        f".valid_o({net}_valid), .ready_i({net}_ready), .data_o({net}_read));"
    )
    monitor = (
        f"monitor #(.Id({number}), .Width({port.bits})) {net}_monitor ({clock}, "
        f".issue_i({net}_issue), .ready_i({net}_ready), .data_i({net}_read));"
    )
    return "\n".join(
        (
            f"logic {net}_space, {net}_issue, {net}_dvalid, {net}_valid, {net}_ready;",
            f"logic [{port.bits - 1}:0] {net}_written, {net}_read;",
            channel,
            monitor,
            end,
        )
    )


def _inner_text(instance: str, channel: str, number: int) -> str:
    """Monitor of a channel inside the block."""
    return (
        f"inner_monitor #(.Id({number})) {instance}_{channel}_monitor (.clk_i(clk_i), "
        f".rst_i(rst_i), .issue_i({instance}.{channel}_issue), "
        f".released_i(32'({instance}.{channel}_released)));"
    )


def _large_text(net: str, ram: Loaded) -> str:
    """A memory beside the block, and what fills it during reset."""
    words, bits, load_bits = len(ram.memory.words), ram.memory.width_bits, ram.load_bits
    clock = ".clk_i(clk_i), .rst_i(load_rst_i)"
    return f"""
logic [{max(1, (words - 1).bit_length()) - 1}:0] {net}_addr;
logic [{bits - 1}:0] {net}_data;
logic [{load_bits - 1}:0] {net}_beat;
logic {net}_valid, {net}_loaded;
load_source #(.Width({load_bits}), .Transfers({len(ram.transfers)}), .DataFile("{net}.hex"))
{net}_source ({clock}, .valid_o({net}_valid), .data_o({net}_beat));
large_ram #(.Width({bits}), .Depth({words}), .LoadBits({load_bits})) {net}_ram ({clock}, .turn_i(1'b1),
.load_valid_i({net}_valid), .load_data_i({net}_beat), .loaded_o({net}_loaded), .addr_i({net}_addr),
.data_o({net}_data));
"""


def _nets(prefix: str, case: Case) -> dict[str, str]:
    nets = {"clk_i": "clk_i", "rst_i": "rst_i"}
    for port in case.rtl.loaded:
        own = f"{prefix}_{port}"
        nets |= {f"{port}_addr_o": f"{own}_addr", f"{port}_data_i": f"{own}_data"}
    for name in case.ports:
        net = f"{prefix}_{name}"
        if name.startswith("in"):
            nets |= {f"{name}_valid_i": f"{net}_valid", f"{name}_ready_o": f"{net}_ready"}
            nets |= {f"{name}_data_i": f"{net}_read"}
        else:
            nets |= {f"{name}_space_i": f"{net}_space", f"{name}_issue_o": f"{net}_issue"}
            nets |= {f"{name}_valid_o": f"{net}_dvalid", f"{name}_data_o": f"{net}_written"}
    return nets


def built(cases: Sequence[Case], extra: Sequence[Path] = ()) -> Path:
    """The executable of these cases, from the cache where its sources have been built before.

    `extra` are Verilog files that hold modules of `cases` that are not in hw/.
    """
    return compiled(bench_text(cases), {case.rtl.module for case in cases}, extra)


def compiled(
    text: str, modules: set[str], extra: Sequence[Path] = (), optimise: str = "-O0"
) -> Path:
    """The executable of the bench `text` around `modules`, from the cache where it is known."""
    sources = sorted(package_data("hw").glob("*.sv")) + sorted(BENCH.iterdir())
    sources += extra
    options = " ".join((*FLAGS, optimise)).encode()
    digest = hashlib.sha256(text.encode() + verilator_version() + options)
    for source in sources:
        digest.update(source.read_bytes())
    folder = _cache() / digest.hexdigest()[:24]
    if not (folder / "Vbench").exists():
        _build(folder, text, modules, extra, optimise)
    return folder / "Vbench"


def verilator_version() -> bytes:
    """What `verilator --version` says."""
    return subprocess.run([VERILATOR, "--version"], capture_output=True, check=True).stdout


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "codesign" / "hw-tests"


def _build(
    folder: Path, text: str, modules: set[str], extra: Sequence[Path], optimise: str
) -> None:
    work = folder.with_name(f"{folder.name}.{os.getpid()}")
    work.mkdir(parents=True)
    (work / "bench.sv").write_text(text)
    libraries = [part for path in (package_data("hw"), BENCH) for part in ("-y", str(path))]
    command = [
        VERILATOR,
        *FLAGS,
        *libraries,
        *("--Mdir", "obj", "bench.sv"),
        *map(str, extra),
        str(BENCH / "main.cpp"),
    ]
    done = subprocess.run(
        [*command, "-MAKEFLAGS", f"OPT_FAST={optimise} {MAKE}"],
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (
        f"build of {sorted(modules)} in {work} failed:\n{done.stderr[-4000:]}"
    )
    folder.mkdir(exist_ok=True)
    os.replace(work / "obj" / "Vbench", folder / "Vbench")
    shutil.rmtree(work)


def check(
    cases: Sequence[Case], folder: Path, seed: int | None, extra: Sequence[Path] = ()
) -> None:
    """Run the cases with gaps by `seed`; every bit and every cycle must be as expected."""
    found = [text for _, text in differences(cases, folder, seed, extra)]
    assert not found, "\n".join(found)


def differences(
    cases: Sequence[Case], folder: Path, seed: int | None, extra: Sequence[Path] = ()
) -> Iterator[tuple[int, str]]:
    """(number of the case, the first difference) of each channel that is not as expected."""
    program = built(cases, extra)
    times = prepared(cases, folder, seed)
    last = max(max(released) for t in times for _, released in t.values())
    transfers = [len(ram.transfers) for case in cases for ram in case.rtl.loaded.values()]
    command = [program, str(last + 20), str(max(transfers, default=-2) + 2)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    yield from differences_in(done.stdout, cases, times)


def prepared(cases: Sequence[Case], folder: Path, seed: int | None) -> list[Times]:
    """Write what a run with gaps by `seed` reads to `folder`; the expected times of each case."""
    gaps = [gaps_of(case, seed) for case in cases]
    for i, (case, gap) in enumerate(zip(cases, gaps, strict=True)):
        _write_files(folder, f"c{i}", case, gap)
    return [expected_times(case, g) for case, g in zip(cases, gaps, strict=True)]


def expected_times(case: Case, gaps: Mapping[str, Sequence[int]]) -> Times:
    """(issue cycles, release cycles) of the block's ports, from the simulator."""
    times, ended = engine_times(case.machine(gaps), FRAMES)
    assert ended, f"{case.label}: the simulator ends in a deadlock"
    return times


def _write_files(folder: Path, prefix: str, case: Case, gaps: Mapping[str, Sequence[int]]) -> None:
    for name, memory in case.rtl.memories.items():
        (folder / f"{prefix}_{name}.hex").write_text(memory.text)
    for name, ram in case.rtl.loaded.items():
        transfers = "".join(f"{beat:x}\n" for beat in ram.transfers)
        (folder / f"{prefix}_{name}.hex").write_text(transfers)
    for name in case.ports:
        (folder / f"{prefix}_{name}_gap.hex").write_text("".join(f"{g:x}\n" for g in gaps[name]))
        (folder / f"{prefix}_{name}.hex").write_text("".join(f"{w:x}\n" for w in case.data[name]))
