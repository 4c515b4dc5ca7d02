"""Law 5 by the simulator: each block alone between sources and sinks."""

from __future__ import annotations

import random

import pytest

from codesign.blocks.base import Block
from tests.conformance.machines import machine_around
from tests.conformance.naive import CLOSED_FORM
from tests.conformance.roster import FOLDED
from tests.sim.traces import assert_same, engine_times


@pytest.mark.parametrize("block", FOLDED)
def test_simulated_interval_is_the_closed_form(block: Block) -> None:
    frames = 5
    times, ended = engine_times(machine_around(block), frames)
    assert ended
    written, _ = times["out0"]
    per_frame = block.outputs()[0].beats_per_frame
    assert len(written) == frames * per_frame
    assert written[-1] - written[-1 - per_frame] == CLOSED_FORM[type(block)](block)


@pytest.mark.parametrize("block", FOLDED[::3])
def test_engine_and_stepper_agree_under_stalls(block: Block) -> None:
    for seed in range(2):
        assert assert_same(machine_around(block, random.Random(seed)), 2, f"seed {seed}")
