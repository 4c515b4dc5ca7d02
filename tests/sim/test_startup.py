"""Start-up time against a count by hand, from the boards' data sheets."""

from __future__ import annotations

import msgspec
import pytest

from codesign.blocks.base import Fold
from codesign.board import load_board
from codesign.cost.estimate import estimate
from codesign.lowering import assemble
from codesign.sim.simulate import simulate
from tests import small_graphs

# A layer of 8 rows and 12 columns, 4 bits; folded 2 x 4: 12 words of 32 bits.
FOLDS = {"fc0": Fold(2, 4, memory="large")}


@pytest.mark.parametrize(
    ("board", "cycles"),
    [
        # Two words share a row of URAM, 72 bits: 6 transfers, one a cycle of the 128-bit stream.
        ("zcu104", 6 + 1),
        # Two SPRAM columns of 16 bits: 24 transfers at 3.75 MB/s and 24 MHz = 1.25 bits a cycle.
        ("icebreaker", 24 * 13 + 1),
    ],
)
def test_startup_is_the_transfers_at_the_boards_pace(board, cycles):
    found = load_board(board)
    design = assemble(small_graphs.mlp(), FOLDS, found)
    assert simulate(design, found).startup_cycles == cycles
    assert estimate(design, found).startup_cycles == cycles


def test_a_slower_memory_delays_the_start_and_nothing_else():
    board = load_board("zcu104")
    # 72 bits at 36 bits a cycle.
    slow = msgspec.structs.replace(board, memory_bandwidth_bytes_per_s=36 / 8 * board.clock_hz)
    design = assemble(small_graphs.mlp(), FOLDS, board)
    fast, delayed = simulate(design, board), simulate(design, slow)
    assert delayed.startup_cycles == 12 + 1
    assert (delayed.interval_cycles, delayed.latency_cycles) == (
        fast.interval_cycles,
        fast.latency_cycles,
    )


def test_timing_is_that_of_block_ram_and_without_large_memories_there_is_no_startup():
    board = load_board("zcu104")
    large = simulate(assemble(small_graphs.mlp(), FOLDS, board), board)
    block = simulate(
        assemble(small_graphs.mlp(), {"fc0": Fold(2, 4, memory="block")}, board), board
    )
    assert block.startup_cycles == 0
    assert large.latency_cycles == block.latency_cycles
    assert large.channels == block.channels
