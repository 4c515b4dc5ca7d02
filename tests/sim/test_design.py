"""Designs of real blocks: flattening, and engine against stepper on their programs."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace

import pytest

from codesign.blocks import BLOCKS, Fork, MatVec, Window
from codesign.blocks.base import Block, Fold, ParamRef
from codesign.board import Board, load_board
from codesign.design import Design, HostInput, HostOutput, Stream
from codesign.errors import InvariantBroken
from codesign.program import Loop, Process, Read, Segment
from codesign.sim.cnv import cnv_design
from codesign.sim.host import SINK, SOURCE, gap_cycles
from codesign.sim.machine import Channel, Machine, machine_of
from codesign.sim.simulate import simulate
from codesign.types import QType
from tests.sim.traces import assert_same

U8 = QType(8, False)
EXAMPLES = [(cls.__name__, block) for cls in BLOCKS for block, _ in cls.examples()]


def around(block: Block, seed: int) -> Machine:
    """`block` alone, with a source and a sink per port, random gaps, depths and latencies."""
    dice = random.Random(seed)
    program = block.program()
    processes = {p.name: p for p in program.processes}
    channels = [
        Channel(c.name, c.source, c.name, c.target, c.name, c.depth, c.forward_latency_cycles)
        for c in program.channels
    ]
    owners = {
        port: p.name
        for p in program.processes
        for loop in p.loops
        for s in loop.segments
        for port in (*s.writes, *(read.port for read in s.reads))
    }
    for i, port in enumerate(block.inputs()):
        source = Segment(port.beats_per_frame, writes=("out0",), gap=dice.choice((1, 1, 3)))
        processes[f"source{i}"] = Process(f"source{i}", (Loop(1, (source,)),))
        ends = (f"source{i}", "out0", owners[f"in{i}"], f"in{i}")
        channels.append(Channel(f"feed{i}", *ends, dice.randint(1, 4), dice.randint(1, 3)))
    for i, port in enumerate(block.outputs()):
        sink = Segment(port.beats_per_frame, (Read("in0"),), gap=dice.choice((1, 1, 3)))
        processes[f"sink{i}"] = Process(f"sink{i}", (Loop(1, (sink,)),))
        ends = (owners[f"out{i}"], f"out{i}", f"sink{i}", "in0")
        channels.append(Channel(f"drain{i}", *ends, dice.randint(1, 4), dice.randint(1, 6)))
    return Machine(processes, tuple(channels))


@pytest.mark.parametrize(("name", "block"), EXAMPLES)
def test_programs_of_all_example_blocks(name: str, block: Block) -> None:
    for seed in range(2):
        assert assert_same(around(block, seed), 2, f"{name} {block.name}, seed {seed}")


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
def test_windows(stride: int, dilation: int) -> None:
    window = Window(
        name="w",
        fold=Fold(pe=2),
        height=9,
        width=8,
        channels=4,
        kernel=(3, 2),
        stride=(stride, stride),
        dilation=(dilation, dilation),
        itype=U8,
    )
    assert assert_same(around(window, stride + 10 * dilation), 3, "window")


@pytest.fixture
def board() -> Board:
    return load_board("pynq-z1")


def dense(name: str, rows: int, cols: int, pe: int, simd: int) -> MatVec:
    return MatVec(
        name=name,
        fold=Fold(pe=pe, simd=simd),
        rows=rows,
        cols=cols,
        vectors=4,
        itype=U8,
        wtype=QType(4),
        acc=U8,
        weight=ParamRef(name, (rows, cols), QType(4)),
    )


def two_layers(style: str = "register") -> Design:
    """host -> fc0 (8 -> 6, 2x2) -> fc1 (6 -> 4, 1x2) -> host, four vectors a frame."""
    return Design(
        name="two",
        board="pynq-z1",
        clock_hz=1e8,
        input=HostInput("x", (4, 8), (8, 4), U8),
        output=HostOutput("y", (4, 4), U8),
        blocks=(dense("fc0", 6, 8, 2, 2), dense("fc1", 4, 6, 1, 2)),
        streams=(
            Stream("host", "fc0.in0", U8, 2, 16),
            Stream("fc0.out0", "fc1.in0", U8, 2, 12, depth=8, style=style),
            Stream("fc1.out0", "host", U8, 1, 16, depth=8),
        ),
    )


def test_machine_of_a_design(board: Board) -> None:
    machine = machine_of(two_layers(), board)
    assert list(machine.processes) == [SOURCE, "fc0", "fc1", SINK]
    feed, between, _ = machine.channels
    assert (feed.depth, feed.forward_latency_cycles) == (2, 1)
    stages = two_layers().blocks[0].program().processes[0].latency_cycles
    assert between.forward_latency_cycles == 1 + stages
    slow = machine_of(two_layers("block"), board).channels[1]
    assert slow.forward_latency_cycles == 2 + stages
    assert assert_same(machine, 3, "two layers")


def test_interval_of_two_dense_layers(board: Board) -> None:
    result = simulate(two_layers(), board)
    assert result.interval_cycles == 4 * 3 * 4  # vectors x SF x NF, the same for both layers
    assert result.fps == 1e8 / 48


def test_host_gap_follows_stream_width_and_memory_bandwidth(board: Board) -> None:
    import msgspec

    design = two_layers()
    narrow = msgspec.structs.replace(board, stream_bits=4, memory_bandwidth_bytes_per_s=1e12)
    assert gap_cycles(design, narrow) == (4, 2)  # beats of 16 and 8 bits
    # 3 bits a cycle in all, shared 256 : 128 bits a frame between input and output
    poor = msgspec.structs.replace(board, memory_bandwidth_bytes_per_s=3 * 1e8 / 8)
    assert gap_cycles(design, poor) == (8, 8)
    assert simulate(design, poor).io_bound
    assert simulate(design, poor).interval_cycles == 16 * 8


def test_stream_at_a_port_that_no_block_has(board: Board) -> None:
    import msgspec

    design = two_layers()
    wrong = msgspec.structs.replace(design.streams[1], target="fc1.in7")
    design = msgspec.structs.replace(design, streams=(design.streams[0], wrong, design.streams[2]))
    with pytest.raises(InvariantBroken, match=r"port fc1\.in7 must belong to a process"):
        machine_of(design, board)


def test_fork_into_a_block_of_its_own_machine() -> None:
    fork = Fork(name="f", channels=6, vectors=3, itype=U8, copies=3)
    machine = around(fork, 5)
    shallow = replace(machine, channels=tuple(replace(c, depth=1) for c in machine.channels))
    assert assert_same(shallow, 2, "fork")


def test_cnv_first_cycles_equal_the_stepper(board: Board) -> None:
    from codesign.sim import bench
    from codesign.sim.encode import encode
    from codesign.sim.reference import step

    machine = machine_of(cnv_design(board), board)
    assert bench.compared(machine, encode(machine), step(machine, 1, 2500)) > 3000


def test_import_is_light() -> None:
    """Simulating a saved design must not load torch, onnx, brevitas or matplotlib."""
    script = (
        "import codesign.sim.simulate, codesign.design, codesign.board, sys; "
        "print({'torch', 'onnx', 'brevitas', 'qonnx', 'matplotlib'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
