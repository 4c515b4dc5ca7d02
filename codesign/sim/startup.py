"""From reset to the first cycle of frames: what fills the memories without initial contents.

The contents come in transfers of the width of the memory kind, and have the board's stream and
memory to themselves: one transfer takes as many cycles as a beat of that width. The memory written
last is ready, and frames start, two cycles behind its last transfer (hw/loader.sv).
"""

from __future__ import annotations

from math import ceil

from codesign.blocks.base import MemoryShape
from codesign.board import Board
from codesign.cost.family import load_family
from codesign.cost.packing import words_a_row
from codesign.design import Design
from codesign.sim.host import beat_gap_cycles, bits_per_cycle

LAST_WRITE_CYCLES = 1


def startup_cycles(design: Design, board: Board) -> int:
    """Cycles before number 0 of a simulation; 0 where every memory has initial contents."""
    transfers = load_transfers(design, board)
    if not transfers:
        return 0
    return transfers * load_gap_cycles(design, board) + LAST_WRITE_CYCLES


def load_transfers(design: Design, board: Board) -> int:
    """Transfers that fill all large memories of `design`."""
    bits = load_family(board.family).load_bits
    memories = (memory for block in design.blocks for memory in block.large_memories())
    return sum(_transfers(memory, bits) for memory in memories)


def _transfers(memory: MemoryShape, bits: int) -> int:
    """Rows by columns of hw/large_ram.sv."""
    shared = words_a_row(memory.words, memory.width_bits, bits)
    return ceil(memory.words / shared) * ceil(memory.width_bits * shared / bits)


def load_gap_cycles(design: Design, board: Board) -> int:
    """Cycles of one transfer (at least 1)."""
    bits = load_family(board.family).load_bits
    (bits_a_cycle,) = bits_per_cycle((bits,), design.clock_hz, board)
    return beat_gap_cycles(bits, bits_a_cycle)
