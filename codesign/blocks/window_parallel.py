"""A window whose taps come in parallel: line buffer in banks of rows, and its event program.

The writer walks over the kept pixels column by column (`window_program` says what is kept). An
event takes the pixels of all kernel rows at one column out of the banks, where each kernel row lies
in another bank, and shifts them into a register of the kernel's extent. Each time a window is
complete it is written: whole, or one kernel row a beat. So a pixel leaves the buffer once for each
row of windows, not once for each tap.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, gcd

from codesign.blocks.control import counters
from codesign.blocks.memories import buffer, ram_style
from codesign.blocks.programs import loop, segment
from codesign.blocks.window_program import Axis, reader_process
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import InnerChannel, Loop, Process, Program, Read, Segment


@dataclass(frozen=True)
class Banks:
    """`count` memories that hold the picture's rows in turn, each `slots` lines of `line` pixels."""

    count: int
    slots: int
    line: int

    @property
    def words(self) -> int:
        """Pixels in one bank."""
        return self.slots * self.line

    @property
    def depth(self) -> int:
        """Pixels in all banks."""
        return self.count * self.words


def banks_of(rows: Axis, columns: Axis) -> Banks:
    """Banks for the window that the writer is at and, meanwhile, the first one of a new frame.

    Kernel rows are `dilation` apart: they lie in distinct banks when it and their number have no
    common divisor. A single kernel row is read in order, by a ring of two windows.
    """
    if rows.taps == 1:
        return Banks(1, 1, 2 * columns.extent)
    count = rows.taps
    while gcd(count, rows.dilation) > 1:
        count += 1
    return Banks(count, ceil((2 * rows.extent - 1) / count), columns.kept)


def parallel_program(rows: Axis, columns: Axis, beats: int, latency_cycles: int) -> Program:
    """Both processes; a window is written in `beats` beats, all channels of a pixel in a token.

    `latency_cycles` lead from the line buffer to the output.
    """
    writer = Process("writer", _writer_loops(rows, columns, beats), latency_cycles)
    lines = InnerChannel("lines", "reader", "writer", banks_of(rows, columns).depth)
    return Program((reader_process(rows, columns, 1), writer), (lines,))


def _writer_loops(rows: Axis, columns: Axis, beats: int) -> tuple[Loop, ...]:
    """Every row of windows; its last column releases what no later window uses."""
    row = _row(rows, columns, beats, (rows.move - 1) * columns.kept)
    last = _row(rows, columns, beats, (rows.extent - 1) * columns.kept)
    return row * (rows.steps - 1) + last


def _row(rows: Axis, columns: Axis, beats: int, release: int) -> tuple[Loop, ...]:
    """One row of windows: columns up to a window, the window; `release` pixels more at its end."""
    lowest = (rows.extent - 1) * columns.kept
    column = (Read("lines", lowest),)
    further = segment(beats - 1, (), ("out0",))
    window = (Segment(1, column, ("out0",)), *further)
    end = Segment(1, (Read("lines", lowest, release_last=release),), ("out0",))
    return (
        *loop(1, segment(columns.extent - 1, column)),
        *loop(columns.steps - 1, (*window, *segment(columns.move - 1, column))),
        *loop(1, (end, *further)),
    )


def bank_parameters(family: Family, rows: Axis, columns: Axis, memory: str) -> dict[str, int]:
    """Parameters of hw/window_parallel.sv that describe its memories."""
    banks = banks_of(rows, columns)
    style = ram_style(family, banks.words, memory)
    return {"Banks": banks.count, "Slots": banks.slots, "Line": banks.line, "Style": style}


def column_terms(
    family: Family, rows: Axis, columns: Axis, bits: int, beats: int, memory: str
) -> tuple[CostTerm, ...]:
    """What lies between the reader and the output, for pixels of `bits` bits."""
    banks = banks_of(rows, columns)
    bank = buffer(family, "bank", banks.words, bits, memory)
    address, level = banks.words.bit_length(), banks.depth.bit_length()
    # An address for each bank and for the writer: the line of the slot and the place in it. A
    # counter of bank and slot for each kernel row and for the writer: two adders with a modulus.
    row = Resources(lut=2 * family.adder(banks.count.bit_length() + banks.slots.bit_length()))
    row += counters(family, banks.count, banks.slots)
    addresses = Resources(lut=(banks.count + 1) * family.adder(address) * (banks.slots > 1))
    addresses += row.scaled((rows.taps + 1) * (banks.count > 1)) + counters(family, banks.line)
    return (
        # The banks and their output registers.
        CostTerm("line buffer", bank.resources.scaled(banks.count)),
        # The pixel of each kernel row out of its bank.
        CostTerm("rows", Resources(lut=rows.taps * bits * family.mux(banks.count))),
        # The columns that the kernel spans.
        CostTerm("window", Resources(ff=rows.taps * columns.extent * bits)),
        # One row of the window out of all.
        CostTerm("taps", Resources(lut=columns.taps * bits * family.mux(beats))),
        CostTerm("addresses", addresses),
        # Pixels in the buffer: an adder and a register.
        CostTerm("level", Resources(lut=family.adder(level), ff=level)),
    )
