"""Adder trees and accumulators: their stages and what they occupy."""

from __future__ import annotations

from math import ceil

from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources

# Levels of adders (or of the tournament of ArgMax) between two pipeline registers.
LEVELS_A_STAGE = 2


def levels(lanes: int) -> int:
    """Levels of a binary tree over `lanes` values."""
    return (lanes - 1).bit_length()


def tree_stages(lanes: int) -> int:
    """Pipeline registers of a tree: one every second level, and one behind the last."""
    return ceil(levels(lanes) / LEVELS_A_STAGE)


def tree_registers(lanes: int) -> int:
    """Values in the pipeline registers of a tree over `lanes` values."""
    count, level = 0, 0
    while lanes > 1:
        lanes, level = ceil(lanes / 2), level + 1
        if level % LEVELS_A_STAGE == 0 or lanes == 1:
            count += lanes
    return count


def adder_tree(family: Family, lanes: int, bits: int, signed: bool = True) -> Resources:
    """The sum of `lanes` values of `bits` bits; each level has half the adders, one bit wider.

    An unsigned sum gets its last bit from the carry; a signed one extends the sign in one more LUT.
    """
    luts, flip_flops, level = 0.0, 0, 0
    while lanes > 1:
        pairs = lanes // 2
        luts += pairs * family.adder(bits + signed)
        lanes, bits, level = lanes - pairs, bits + 1, level + 1
        if level % LEVELS_A_STAGE == 0 or lanes == 1:
            flip_flops += lanes * bits
    return Resources(lut=luts, ff=flip_flops)


def popcount(family: Family, lanes: int) -> Resources:
    """The number of ones among `lanes` bits, whose products are already summed three by three.

    The 3-to-2 counters are part of the 1 x 1 bit multipliers (`Family.lut_multiplier`).
    """
    return adder_tree(family, ceil(lanes / 3), 2, signed=False)


def accumulators(
    family: Family, count: int, words: int, bits: int, name: str = "accumulators"
) -> CostTerm:
    """`count` accumulators of `bits` bits, each for `words` results in turn.

    One word is a register with an adder that also loads; more are a small memory beside the adder;
    none is the register alone, for a sum that is complete at once.
    """
    if words == 0:
        return CostTerm("output register", Resources(ff=count * bits))
    adders = Resources(lut=count * family.adder(bits), ff=count * bits)
    if words == 1:
        return CostTerm(name, adders)
    return CostTerm(name, adders + family.ram(words, count * bits, "lut"))
