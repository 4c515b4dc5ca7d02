"""Parameter memories and buffers of blocks."""

from __future__ import annotations

from math import ceil

from codesign.cost.family import Family
from codesign.cost.packing import words_a_row
from codesign.cost.resources import CostTerm, Resources

# Words from which a memory of style "block" is worth a block RAM: what one LUT of 6 inputs holds.
BLOCK_WORDS = 64
# Tables of up to this many words have columns in common.
FEW_WORDS = 8
# Of the columns of so many words, an inverted one being the same, those that look at all three address
# bits.
FUNCTIONS = {5: 10, 6: 16, 7: 48, 8: 112}


def parameters(family: Family, name: str, depth: int, width_bits: int, style: str) -> CostTerm:
    """An initialised memory with a registered output (a block RAM has that register inside)."""
    if style == "block":
        return CostTerm(name, family.rom(depth, width_bits, style))
    if depth > FEW_WORDS:
        return CostTerm(name, family.rom(depth, width_bits, style) + Resources(ff=width_bits))
    luts, registers = distinct_bits(depth, width_bits), distinct_registers(depth, width_bits)
    return CostTerm(name, family.rom(depth, ceil(luts), style) + Resources(ff=registers))


def distinct_bits(words: int, bits: float) -> float:
    """Columns of a table of random words that need a LUT of their own, expected.

    Constants and address bits themselves cost nothing, a function of two address bits is a register
    with a reset; equal columns, or inverted ones, are stored once.
    """
    if words not in FUNCTIONS:
        return 0.0
    return FUNCTIONS[words] * (1 - (1 - 2.0 ** (1 - words)) ** bits)


def distinct_registers(words: int, bits: float) -> float:
    """Registers behind a table of few random words, expected: one for each column that is neither
    constant nor equal to another."""
    columns = 2.0**words
    return (columns - 2) * (1 - (1 - 1 / columns) ** bits)


def weights(family: Family, depth: int, width_bits: int, style: str) -> tuple[CostTerm, ...]:
    """Weights in a ROM, or ("large") in a RAM with what fills it: hw/large_ram.sv, hw/loader.sv."""
    if style != "large":
        return (parameters(family, "weights", depth, width_bits, style),)
    ram = CostTerm("weights", family.large_ram(depth, width_bits))
    return ram, CostTerm("weight loading", _loading(family, depth, width_bits))


def _loading(family: Family, depth: int, width_bits: int) -> Resources:
    """Registers: the transfer, the word to write and the next, column and its write, two flags.

    LUTs: counter of words, its end, the write of each column, the address from counter or reader,
    and four for turn, end and the gate of the frames, although all memories share the last.
    """
    shared = words_a_row(depth, width_bits, family.load_bits)
    row_bits, address_bits = width_bits * shared, (ceil(depth / shared) - 1).bit_length()
    columns = ceil(row_bits / family.load_bits)
    counter = family.adder(address_bits) + ceil(address_bits / family.lut_inputs)
    select = address_bits * family.mux(2)
    flip_flops = min(row_bits, family.load_bits) + 2 * address_bits + 2 * columns + 2
    return Resources(lut=counter + select + columns + 4, ff=flip_flops)


def buffer(
    family: Family, name: str, depth: int, width_bits: int, style: str, one_address: bool = False
) -> CostTerm:
    """A buffer of `depth` words with a registered output; one word is a register, shallow ones stay
    in LUTs whatever `style` says. `one_address`: it is written where it is read."""
    if depth == 1:
        return CostTerm(name, Resources(ff=width_bits))
    style = "block" if in_block_ram(depth, style) else "lut"
    register = Resources(ff=0 if style == "block" else width_bits)
    return CostTerm(name, family.ram(depth, width_bits, style, one_address) + register)


def ram_style(family: Family, depth: int, memory: str) -> int:
    """`Style` of hw/ram.sv for a buffer of `depth` words in `memory` ("lut" or "block")."""
    if in_block_ram(depth, memory):
        return 1
    return state_style(family)


def state_style(family: Family) -> int:
    """`Style` of hw/ram.sv and hw/state_ram.sv for a memory that is never in block RAM."""
    return 0 if family.lutram else 2


def in_block_ram(depth: int, style: str) -> bool:
    """True when a buffer of `depth` words and this style goes into block RAM."""
    return style != "lut" and depth >= BLOCK_WORDS
