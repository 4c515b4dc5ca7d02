"""Parameter memories and buffers of blocks."""

from __future__ import annotations

from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources

# Words from which a memory of style "block" is worth a block RAM: what one LUT of 6 inputs holds.
BLOCK_WORDS = 64


def parameters(family: Family, name: str, depth: int, width_bits: int, style: str) -> CostTerm:
    """An initialised memory with a registered output (a block RAM has that register inside)."""
    register = Resources(ff=0 if style == "block" or depth == 1 else width_bits)
    return CostTerm(name, family.rom(depth, width_bits, style) + register)


def buffer(family: Family, name: str, depth: int, width_bits: int, style: str) -> CostTerm:
    """A buffer of `depth` words with a registered output; one word is a register, shallow ones stay
    in LUTs whatever `style` says."""
    if depth == 1:
        return CostTerm(name, Resources(ff=width_bits))
    style = "block" if in_block_ram(depth, style) else "lut"
    register = Resources(ff=0 if style == "block" else width_bits)
    return CostTerm(name, family.ram(depth, width_bits, style) + register)


def in_block_ram(depth: int, style: str) -> bool:
    """True when a buffer of `depth` words and this style goes into block RAM."""
    return style == "block" and depth >= BLOCK_WORDS
