"""What sums of products with stored weights occupy; where the weights are few, synthesis knows them."""

from __future__ import annotations

import msgspec

from codesign.blocks.adders import adder_tree
from codesign.blocks.multipliers import (
    constant_luts,
    counts_ones,
    is_product,
    products,
    rows_in_dsps,
    sums,
)
from codesign.blocks.sum_types import products_type
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.types import BIPOLAR, TERNARY, QType

# Words of weights up to which products are those of constants.
FEW_WEIGHTS = 4


def dot_products(
    family: Family,
    lanes: int,
    copies: int,
    types: tuple[QType, QType],
    multiplier: str,
    words: int,
    shared: bool = False,
    chosen: bool = False,
) -> tuple[CostTerm, CostTerm]:
    """(products, their sums) of `copies` sums of `lanes` products of a and one of `words` weights.

    `types` are those of a and of the weights. With `shared` all copies have the same a, which two of
    them may multiply in one DSP; a is `chosen` where it comes out of a multiplexer.
    """
    if words == 1 and multiplier == "lut" and not counts_ones(*types):
        return _with_constants(family, lanes, copies, *types)
    count, rows = (lanes, copies) if shared else (lanes * copies, 1)
    adding = rows_in_dsps(family, *types, multiplier, rows) * (copies // rows)
    made = products(family, count, *types, multiplier, rows, chosen=chosen)
    added = sums(family, lanes, *types, copies, chosen, adding)
    return known(made, words), known(added, words)


def known(term: CostTerm, words: int) -> CostTerm:
    """`term`, less and by a name of its own where the weights are few: each bit of theirs is the same
    in all words with probability 2 / 2^words."""
    if not 1 < words <= FEW_WEIGHTS:
        return term
    luts = term.resources.lut * (1 - 2.0 ** (1 - words))
    return CostTerm(f"constant {term.name}", msgspec.structs.replace(term.resources, lut=luts))


def _with_constants(
    family: Family, lanes: int, copies: int, a: QType, b: QType
) -> tuple[CostTerm, CostTerm]:
    """A weight for each product, known: shifts and adders with a signed digit in three bits, or only a
    sign, which is part of the sum. A sum of inputs that a LUT takes whole is a table."""
    bits = a.bits if b in (BIPOLAR, TERNARY) else products_type(1, a, b).bits
    product, registers = 0.0, 0
    if is_product(a, b):
        registers = bits
        product = constant_luts(family, a.bits, max(0, round(b.bits / 3 - 1)))
    tree = adder_tree(family, lanes, bits)
    if lanes * a.bits <= family.lut_inputs and not registers:
        tree = msgspec.structs.replace(tree, lut=float(products_type(lanes, a, b).bits))
    made = Resources(lut=product, ff=registers).scaled(lanes * copies)
    return CostTerm("constant products", made), CostTerm("constant sums", tree.scaled(copies))
