"""The window's program on many geometries: what it reads, when, and how deep its buffer must be."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from codesign.blocks import Window
from codesign.blocks.window_program import smallest_buffer
from codesign.errors import InvariantBroken
from codesign.sim.machine import Machine
from codesign.types import QType
from tests.conformance.machines import machine_around
from tests.conformance.naive import NAIVE
from tests.conformance.stepping import interval_cycles, run
from tests.sim.traces import engine_times

UINT4 = QType(4, False)


def geometry(seed: int) -> Window:
    """A random window that fits its picture: strides over the kernel, dilation, borders, 1-D."""
    dice = random.Random(seed)
    while True:
        block = Window(
            name=f"window_{seed}",
            height=dice.choice((1, 5, 6, 9, 11)),
            width=dice.randint(2, 12),
            channels=dice.choice((1, 2, 3)),
            kernel=(dice.randint(1, 4), dice.randint(1, 4)),
            stride=(dice.randint(1, 4), dice.randint(1, 4)),
            dilation=(dice.randint(1, 3), dice.randint(1, 3)),
            itype=UINT4,
        )
        if block.out_height >= 1 and block.out_width >= 1:
            return block


# 438: windows far apart in rows and overlapping in columns, where the reader runs ahead in bursts.
@pytest.mark.parametrize("seed", [*range(60), 438])
def test_reads_are_the_windows_in_order(seed: int) -> None:
    block, frames = geometry(seed), 3
    state = run(block, frames)  # fails when a token is read or released before it is written
    elements = block.height * block.width * block.channels
    expected = []
    for frame in range(frames):
        numbers = range(frame * elements, (frame + 1) * elements)
        expected += NAIVE[Window](block, {}, list(numbers))[0]
    assert [number for (_, number), _ in state.fifos["out0"].tokens] == expected
    lines = state.fifos["lines"]
    assert lines.released == lines.written
    assert interval_cycles(block, state, frames) == block.program().interval_cycles


@pytest.mark.parametrize("seed", range(0, 60, 3))
def test_smallest_buffer_is_the_smallest_that_lives(seed: int) -> None:
    block = geometry(seed)
    program = block.program()
    depth = smallest_buffer(*block.axes) * block.channels
    assert depth < program.channels[0].depth

    def alive(tokens: int) -> bool:
        lines = replace(program.channels[0], depth=tokens)
        try:
            run(block, 2, replace(program, channels=(lines,)), limit=20000)
        except AssertionError as error:
            assert "no end" in str(error)
            return False
        return True

    assert alive(depth)
    # One token less only lives when the last token of a window is released as it is read.
    assert depth == 1 or not alive(depth - 1)


@pytest.mark.parametrize("seed", [*range(0, 200, 4), 438])
def test_buffer_hides_the_reader_for_ever(seed: int) -> None:
    block = geometry(seed)
    assert steady(block, machine_around(block)) == block.program().interval_cycles


@pytest.mark.parametrize("kernel", [2, 3, 4])
def test_pooling_needs_its_second_window(kernel: int) -> None:
    # Reader and writer take the same time: every wait shows in the interval.
    size, pair = 4 * kernel, (kernel, kernel)
    block = Window(
        name="pool",
        height=size,
        width=size,
        channels=1,
        kernel=pair,
        stride=pair,
        dilation=(1, 1),
        itype=UINT4,
    )
    machine, depth = machine_around(block), block.program().channels[0].depth
    assert steady(block, machine) == size * size
    assert steady(block, machine.with_depths({"lines": depth * 3 // 4})) > size * size


def steady(block: Window, machine: Machine) -> int:
    """Cycles between the last outputs of the ninth and tenth frame."""
    times, ended = engine_times(machine, 10)
    written, per_frame = times["out0"][0], block.outputs()[0].beats_per_frame
    assert ended
    return written[-1] - written[-1 - per_frame]


def test_a_kernel_larger_than_the_picture_is_refused() -> None:
    with pytest.raises(InvariantBroken, match=r"window_0: the kernel spans \(5, 1\)"):
        Window(
            name="window_0",
            height=4,
            width=4,
            channels=1,
            kernel=(3, 1),
            stride=(1, 1),
            dilation=(2, 1),
            itype=UINT4,
        ).check()
