"""Designs of real blocks: flattening, and engine against stepper on their programs."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace

import msgspec
import pytest

from codesign.blocks import Fork, MatVec, Window
from codesign.blocks.base import Fold, ParamRef
from codesign.board import Board, load_board
from codesign.design import Design, HostInput, HostOutput, Stream
from codesign.errors import InvariantBroken
from codesign.sim import bench
from codesign.sim.cnv import cnv_design
from codesign.sim.encode import encode
from codesign.sim.host import SINK, SOURCE, gap_cycles
from codesign.sim.machine import machine_of
from codesign.sim.reference import step
from codesign.sim.simulate import simulate
from codesign.types import QType
from tests.conformance.machines import machine_around
from tests.sim.traces import assert_same

U8 = QType(8, False)


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
    assert assert_same(machine_around(window, random.Random(stride + 10 * dilation)), 3, "window")


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
    design = two_layers()
    narrow = msgspec.structs.replace(board, stream_bits=4, memory_bandwidth_bytes_per_s=1e12)
    assert gap_cycles(design, narrow) == (4, 2)  # beats of 16 and 8 bits
    # 3 bits a cycle in all, shared 256 : 128 bits a frame between input and output
    poor = msgspec.structs.replace(board, memory_bandwidth_bytes_per_s=3 * 1e8 / 8)
    assert gap_cycles(design, poor) == (8, 8)
    assert simulate(design, poor).io_bound
    assert simulate(design, poor).interval_cycles == 16 * 8


def test_stream_at_a_port_that_no_block_has(board: Board) -> None:
    design = two_layers()
    wrong = msgspec.structs.replace(design.streams[1], target="fc1.in7")
    design = msgspec.structs.replace(design, streams=(design.streams[0], wrong, design.streams[2]))
    with pytest.raises(InvariantBroken, match=r"port fc1\.in7 must belong to a process"):
        machine_of(design, board)


def test_the_host_must_read_what_comes_out(board: Board) -> None:
    design = two_layers()
    design = msgspec.structs.replace(design, streams=design.streams[:-1])
    with pytest.raises(InvariantBroken, match="it writes 1 and reads 0"):
        machine_of(design, board)


def test_fork_into_a_block_of_its_own_machine() -> None:
    fork = Fork(name="f", channels=6, vectors=3, itype=U8, copies=3)
    machine = machine_around(fork, random.Random(5))
    shallow = replace(machine, channels=tuple(replace(c, depth=1) for c in machine.channels))
    assert assert_same(shallow, 2, "fork")


def test_cnv_first_cycles_equal_the_stepper(board: Board) -> None:
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
