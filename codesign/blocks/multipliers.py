"""Products of two integers: which hardware makes them, and what it occupies."""

from __future__ import annotations

from math import ceil

import msgspec

from codesign.blocks.adders import DSP, NARROW_SUMS, adder_tree, popcount
from codesign.blocks.sum_types import products_type
from codesign.cost.family import Family
from codesign.cost.products import measured_luts
from codesign.cost.resources import CostTerm, Resources
from codesign.rtl.wire import wire_kind
from codesign.types import QType

# A multiplexer before a selection lengthens its path, which a mapper shortens again by LUTs: so many
# times the sum of selected values (units of the data set took 1.0 to 1.5); a negation's carry chain
# parts both. Sums of two-bit values (NARROW_SUMS) are short anyway.
CHOSEN_SUM = {"bipolar": 1.1, "ternary": 1.0, "bit": 1.5}
# LUTs a bit of x of a sum of 1, 2, 3, ... shifted x, read off hw/scaled.sv for 5 to 16 bits and constants
# of up to 7 digits; MORE_SUMS for each further one.
CONSTANT_SUMS = (0, 1, 2, 4, 6, 7, 10)
MORE_SUMS = 2
# From this width on the product of a DSP needs no zeros below it (hw/product_dsp.sv).
LEAST_DSP_BITS = 11


def counts_ones(a: QType, b: QType) -> bool:
    """True when products are single bits: XNOR of two bipolar values or AND of two unsigned bits."""
    return a.bits == b.bits == 1 and wire_kind(a) == wire_kind(b)


def is_product(a: QType, b: QType) -> bool:
    """True for a multiplication proper; a factor of -1, 0, +1, one bit or a power of two needs none."""
    return min(_factor_bits(a), _factor_bits(b)) > 1


def is_shift(b: QType) -> bool:
    """True for weights that are 0 or a power of two with a sign."""
    return b.kind == "power-of-two"


def product_stages(a: QType, b: QType, multiplier: str) -> int:
    """Pipeline registers of a product: behind LUTs one, around a DSP two, none for a selection."""
    if multiplier == "dsp":
        return 2
    return int(is_product(a, b) or is_shift(b))


def product_parameters(a: QType, b: QType, multiplier: str) -> dict[str, int]:
    """Parameters of the products a*b of inputs and weights, as hw/mvu.sv and others name them."""
    return {
        "InBits": a.bits,
        "InKind": wire_kind(a),
        "WeightBits": b.bits,
        "WeightKind": wire_kind(b),
        "ProductBits": products_type(1, a, b).bits,
        "ProductStages": product_stages(a, b, multiplier),
        "Dsp": int(multiplier == "dsp"),
    }


def packed_bits(family: Family, a: QType, b: QType) -> int:
    """Bits of two weights b in one operand of a DSP, 0 where two products a*b do not fit in one.

    The operand is high * 2^k + low with k the bits of a product: a * low never reaches the place of
    a * high (hw/product_pair.sv), so that the packing is exact wherever the DSP takes the operands.
    """
    apart = 1 + (1 << products_type(1, a, b).bits)
    bits = _signed_bits(QType.covering(b.min * apart, b.max * apart))
    return bits if family.dsp_multiplies(bits, _signed_bits(a)) else 0


def products(
    family: Family,
    count: int,
    a: QType,
    b: QType,
    multiplier: str = "lut",
    rows: int = 1,
    stages: int = 2,
    chosen: bool = False,
) -> CostTerm:
    """`count` values a times `rows` values b each, in LUTs or in DSPs.

    A product of LUTs is registered; a DSP holds its result and, with 2 `stages`, its factors. a is
    `chosen` where it comes out of a multiplexer.
    """
    if multiplier == "dsp":
        return CostTerm("multipliers", _dsp_products(family, a, b, rows, stages).scaled(count))
    count *= rows
    bits = products_type(1, a, b).bits
    if is_shift(b):
        luts = shift_luts(family, a, b)
        return CostTerm("shifters", Resources(lut=count * luts, ff=count * bits))
    if is_product(a, b):
        luts = product_luts(family, a, b, chosen)
        return CostTerm("multipliers", Resources(lut=count * luts, ff=count * bits))
    # A selection is part of the sum behind it (`sums`), where it is not registered alone.
    alone = count * bits if stages == 1 else 0
    return CostTerm("selection", Resources(lut=alone, ff=alone))


def product_luts(family: Family, a: QType, b: QType, chosen: bool = False) -> float:
    """LUTs of one product, a out of a multiplexer where it is `chosen`: measured where the family
    has a table, otherwise by its law. A factor of two bits leaves paths short in any case."""
    chosen = chosen and min(a.bits, b.bits) > 2
    measured = measured_luts(family.name, (a.bits, a.signed), (b.bits, b.signed), chosen)
    return family.lut_multiplier(a.bits, b.bits) if measured is None else measured


def shift_luts(family: Family, a: QType, b: QType) -> float:
    """LUTs of a product with a power of two: each bit chooses a place of a; most of the negation shares
    these LUTs.

    9, 25, 34 and 98 for a of 4, 4, 8, 8 bits and b of 3, 4, 4, 5 on xc7, where Yosys 0.59 takes 6, 24,
    34 and 83.
    """
    bits = products_type(1, a, b).bits
    return bits * family.mux(b.exponents + 1) + family.adder(bits) / 4


def sums(
    family: Family,
    lanes: int,
    a: QType,
    b: QType,
    copies: int,
    chosen: bool = False,
    in_dsps: int = 0,
) -> CostTerm:
    """`copies` sums of `lanes` products each, selections included; a as in `products`. Products of
    `in_dsps` of them come out of DSPs that add."""
    if counts_ones(a, b):
        return CostTerm("popcount", popcount(family, lanes).scaled(copies))
    bits, selected = products_type(1, a, b).bits, chosen_by(a, b)
    tree = adder_tree(family, lanes, bits, selected)
    if not selected:
        inside = adder_tree(family, lanes, bits, DSP).scaled(in_dsps)
        return CostTerm("adder tree", inside + tree.scaled(copies - in_dsps))
    longer = chosen and (bits > 2 or selected not in NARROW_SUMS)
    tree = msgspec.structs.replace(tree, lut=tree.lut * (CHOSEN_SUM[selected] if longer else 1))
    name = "selecting tree of replayed operands" if chosen else "selecting tree"
    return CostTerm(name, tree.scaled(copies))


def rows_in_dsps(family: Family, a: QType, b: QType, multiplier: str, rows: int) -> int:
    """Of `rows` products of one a those to which their DSP can add: as wide as hw/product_dsp.sv wants
    them, and without another in the same DSP."""
    adds = multiplier == "dsp" and family.dsp.adds_behind
    if not adds or products_type(1, a, b).bits < LEAST_DSP_BITS:
        return 0
    return rows % 2 if packed_bits(family, a, b) else rows


def chosen_by(a: QType, b: QType) -> str:
    """Kind of the factor that selects (`adders.SUMS`); none for a multiplication or a shift."""
    if is_product(a, b) or is_shift(b):
        return ""
    kinds = {t.kind if t.kind != "int" else "bit" for t in (a, b) if _factor_bits(t) == 1}
    if kinds == {"bit", "bipolar"}:
        return "sign bit"
    return next(kind for kind in ("bit", "bipolar", "ternary") if kind in kinds)


def constant_adders(value: int) -> int:
    """Adders of a product with a constant: its non-zero signed digits, less one."""
    return max(0, (abs(value) ^ (3 * abs(value))).bit_count() - 1)


def constant_luts(family: Family, bits: int, adders: int) -> float:
    """LUTs of a value of `bits` bits times a constant of `adders` adders: CONSTANT_SUMS a bit. The
    sign of a single adder is free, and values that a LUT takes whole need a quarter less of many."""
    more = max(0, adders + 1 - len(CONSTANT_SUMS)) * MORE_SUMS
    luts = bits * (CONSTANT_SUMS[min(adders, len(CONSTANT_SUMS) - 1)] + more)
    if adders == 1:
        return bits - 1.0
    return luts * (3 / 4 if bits < family.lut_inputs and adders > 2 else 1.0)


def _factor_bits(qtype: QType) -> int:
    """Bits of a factor; one that selects or shifts counts as 1."""
    return qtype.bits if qtype.kind == "int" else 1


def _dsp_products(family: Family, a: QType, b: QType, rows: int, stages: int) -> Resources:
    """One a times `rows` b: two rows share a DSP where they fit, an odd one has its own."""
    pairs = rows // 2 if packed_bits(family, a, b) else 0
    alone = _dsp_product(family, a, b) + _outside(family, products_type(1, a, b).bits)
    if stages == 2:
        alone += _outside(family, a.bits + b.bits)
    return _dsp_pair(family, a, b).scaled(pairs) + alone.scaled(rows - 2 * pairs)


def _outside(family: Family, flip_flops: int) -> Resources:
    """Registers that a DSP without its own leaves to the logic."""
    return Resources(ff=0 if family.dsp.registers else flip_flops)


def _dsp_pair(family: Family, a: QType, b: QType) -> Resources:
    """Two products in one DSP: the weights are joined by an adder above the low one's sign, and half
    of the low product's range is added behind; the DSP may have either adder."""
    bits = products_type(1, a, b).bits
    join = 0.0 if family.dsp.adds_before or b.min >= 0 else family.adder(b.bits + 1)
    inside = family.dsp.adds_behind or min(a.min, b.min) >= 0
    borrow = 0.0 if inside else family.adder(bits + 1)
    return Resources(lut=join + borrow, dsp=1) + _outside(family, 2 * (bits + b.bits) + a.bits)


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
