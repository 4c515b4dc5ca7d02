"""Adder trees and accumulators: their stages and what they occupy."""

from __future__ import annotations

from math import ceil

from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources

# Levels of adders (or of the tournament of ArgMax) between two pipeline registers.
LEVELS_A_STAGE = 2
# In SUMS: values that are products of DSPs which add behind them.
DSP = "dsp"
# LUTs a bit, and beside, of the sum of 1, 2, 3, 4 values that are registered before and behind:
# plain ones (two LUTs of a full adder a bit and value beyond the second), or those that a factor of
# one bit, of -1 and +1, or of -1, 0, +1 first passes, negates or masks. Read off hw/adder_tree.sv
# behind hw/product.sv as Yosys 0.59 maps it to LUTs of 6 inputs; exact to about one LUT in twenty. A DSP
# adds another product to its own, so of four one addition is left.
SUMS = {
    "": ((0, 0), (1, 0), (2, 0), (5, -4)),
    "bit": ((1, 0), (2, 0), (3, -1), (5, 1)),
    "sign bit": ((1, 0), (2, 0), (3, -1), (5, 1)),
    "bipolar": ((1, 0), (2, 0), (5, -3), (8, -1)),
    "ternary": ((1, 0), (3, 0), (5, 2), (9, -3)),
    DSP: ((0, 0), (0, 0), (0, 0), (1, 1)),
}
# The same for values of two bits that two factors of one or two bits select, where the whole sum is a
# function of few inputs; "sign bit" is a factor of -1 and +1 with one of one bit.
NARROW_SUMS = {"bipolar": (1, 3, 7, 13), "sign bit": (1, 3.5, 5, 14)}


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


def adder_tree(family: Family, lanes: int, bits: int, chosen_by: str = "") -> Resources:
    """The sum of `lanes` values of `bits` bits, each level one bit wider.

    Both levels between two registers are one sum of up to four values. `chosen_by` is the kind of
    factor (SUMS) that the values are first multiplied by, in the same LUTs; sums inside of DSPs have
    their registers there.
    """
    luts, flip_flops = sum_luts(family, 1, bits, chosen_by) if lanes == 1 else 0.0, 0
    while lanes > 1:
        depth = min(levels(lanes), LEVELS_A_STAGE)
        full, rest = divmod(lanes, 1 << depth)
        luts += full * sum_luts(family, 1 << depth, bits, chosen_by)
        luts += sum_luts(family, rest, bits, chosen_by)
        lanes, bits = ceil(lanes / (1 << depth)), bits + depth
        outside = lanes if chosen_by != DSP else full if depth == LEVELS_A_STAGE else 0
        flip_flops, chosen_by = flip_flops + outside * bits, ""
    return Resources(lut=luts, ff=flip_flops)


def sum_luts(family: Family, values: int, bits: int, chosen_by: str = "") -> float:
    """LUTs of the sum of up to four values of `bits` bits, by the laws of SUMS."""
    if values == 0:
        return 0.0
    if bits <= 2 and chosen_by in NARROW_SUMS and family.lut_inputs >= 6:
        return NARROW_SUMS[chosen_by][values - 1]
    slope, offset = SUMS[chosen_by][values - 1]
    least = 0.0 if chosen_by == DSP else values - 1.0
    return max(least, slope * family.adder(bits) + offset)


def popcount(family: Family, lanes: int) -> Resources:
    """The number of ones among `lanes` bits; the XNOR or AND before is part of the first LUTs."""
    return adder_tree(family, lanes, 1)


def accumulators(
    family: Family, count: int, words: int, bits: int, name: str = "accumulators"
) -> CostTerm:
    """`count` accumulators of `bits` bits, each for `words` results in turn.

    One word is a register with an adder that also loads (hw/running_sum.sv); more are a small
    memory beside the adder; none is the register alone, for a sum that is complete at once.
    """
    if words == 0:
        return CostTerm("output register", Resources(ff=count * bits))
    adders = Resources(lut=count * family.adder(bits), ff=count * bits)
    if words == 1:
        return CostTerm(name, adders)
    return CostTerm(name, adders + family.ram(words, count * bits, "lut"))


def results(count: int, words: int, bits: int) -> CostTerm:
    """The registers of `count` results behind the sums so far (hw/tap_reduction.sv), where those are
    registers themselves."""
    return CostTerm("results", Resources(ff=count * bits if words == 1 else 0))
