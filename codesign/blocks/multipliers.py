"""Products of two integers: which hardware makes them, and what it occupies."""

from __future__ import annotations

from math import ceil

from codesign.blocks.adders import adder_tree, popcount
from codesign.blocks.sum_types import products_type
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.rtl.wire import wire_kind
from codesign.types import QType


def counts_ones(a: QType, b: QType) -> bool:
    """True when products are single bits: XNOR of two bipolar values or AND of two unsigned bits."""
    return a.bits == b.bits == 1 and a.kind == b.kind


def is_product(a: QType, b: QType) -> bool:
    """True for a multiplication proper; with a factor of -1, 0, +1 or one bit it is a selection."""
    return min(_factor_bits(a), _factor_bits(b)) > 1


def product_stages(a: QType, b: QType) -> int:
    """Pipeline registers behind the products: a multiplication has one, a selection none."""
    return int(is_product(a, b))


def product_parameters(a: QType, b: QType, multiplier: str) -> dict[str, int]:
    """Parameters of the products a*b of inputs and weights, as hw/mvu.sv and others name them."""
    return {
        "InBits": a.bits,
        "InKind": wire_kind(a),
        "WeightBits": b.bits,
        "WeightKind": wire_kind(b),
        "ProductBits": products_type(1, a, b).bits,
        "ProductStages": product_stages(a, b),
        "Dsp": int(multiplier == "dsp"),
    }


def products(family: Family, count: int, a: QType, b: QType, multiplier: str = "lut") -> CostTerm:
    """`count` products a*b in LUTs or in DSPs.

    A product proper is registered: by flip-flops behind LUTs, inside of the DSP.
    """
    if multiplier == "dsp":
        return CostTerm("multipliers", _dsp_product(family, a, b).scaled(count))
    if is_product(a, b):
        luts, flip_flops = family.lut_multiplier(a.bits, b.bits), products_type(1, a, b).bits
        return CostTerm("multipliers", Resources(lut=count * luts, ff=count * flip_flops))
    if counts_ones(a, b):
        return CostTerm("XNOR or AND", Resources(lut=count * family.lut_multiplier(1, 1)))
    # -1, 0, +1 times n bits: each bit is passed, inverted or masked; the tree adds the carry.
    bits = max(_factor_bits(a), _factor_bits(b), 2)
    return CostTerm("selection", Resources(lut=count * family.lut_multiplier(1, bits)))


def sums(family: Family, lanes: int, a: QType, b: QType, copies: int) -> CostTerm:
    """`copies` sums of `lanes` products each."""
    if counts_ones(a, b):
        return CostTerm("popcount", popcount(family, lanes).scaled(copies))
    tree = adder_tree(family, lanes, products_type(1, a, b).bits)
    return CostTerm("adder tree", tree.scaled(copies))


def constant_adders(value: int) -> int:
    """Adders of a product with a constant: its non-zero signed digits, less one."""
    return max(0, (abs(value) ^ (3 * abs(value))).bit_count() - 1)


def _factor_bits(qtype: QType) -> int:
    """Bits of a factor; a bipolar or ternary one only selects and counts as 1."""
    return qtype.bits if qtype.kind == "int" else 1


def _dsp_product(family: Family, a: QType, b: QType) -> Resources:
    """One DSP, or several for parts of operands that are too wide, with adders to join them.

    All parts but the highest are unsigned and leave the sign bit of the DSP's operand unused.
    """
    a_bits, b_bits = _signed_bits(a), _signed_bits(b)
    if family.dsp_multiplies(a_bits, b_bits):
        return Resources(dsp=1)
    wide, narrow = family.dsp.a_bits - 1, family.dsp.b_bits - 1
    parts = min(
        ceil((p - 1) / wide) * ceil((q - 1) / narrow)
        for p, q in ((a_bits, b_bits), (b_bits, a_bits))
    )
    return Resources(dsp=parts, lut=(parts - 1) * family.adder(a_bits + b_bits))


def _signed_bits(qtype: QType) -> int:
    """Width as a two's-complement operand."""
    return qtype.bits + (not qtype.signed)
