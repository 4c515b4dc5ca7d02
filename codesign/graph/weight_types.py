"""The type that integer weights are stored in: the cheapest that holds their very values."""

from __future__ import annotations

from itertools import product

import numpy as np

from codesign.blocks.multipliers import is_product
from codesign.blocks.sum_types import products_type
from codesign.types import BIPOLAR, TERNARY, QType

POWER_BITS = (3, 4, 5)  # 2 bits are ternary


def stored_type(weights: np.ndarray, declared: QType, itype: QType) -> QType:
    """The type of `weights` whose products with inputs of `itype` cost least; often `declared`.

    Values that happen to be -1, 0 and 1 select, and values that are 0 or a power of two with a sign
    (INQ, arXiv:1702.03044) shift, where `declared` would have to multiply.
    """
    if declared.kind != "int" or declared.bits == 1 or not weights.size:
        return declared
    sizes = np.unique(np.abs(weights))
    if sizes[-1] <= 1:
        return _selecting(weights)
    if not is_product(itype, declared) or np.any(sizes & (sizes - 1)):
        return declared
    for bits, narrow in product(POWER_BITS, (True, False)):
        powers = QType(bits, kind="power-of-two", narrow=narrow)
        if bits <= declared.bits and sizes[-1] <= powers.max:
            return powers if _shift_luts(itype, powers) < _luts(itype, declared) else declared
    return declared


def _selecting(weights: np.ndarray) -> QType:
    """Type of values in -1 to 1."""
    if weights.min() >= 0:
        return QType(1, signed=False)
    return TERNARY if np.any(weights == 0) else BIPOLAR


def _luts(a: QType, b: QType) -> float:
    """LUTs of a product and its place in the adder tree (`Family.lut_multiplier`)."""
    return 2 * a.bits * b.bits + products_type(1, a, b).bits


def _shift_luts(a: QType, b: QType) -> float:
    """The same of a shift (`shift_luts` where a LUT chooses among 4 codes)."""
    return products_type(1, a, b).bits * ((b.exponents + 1) / 4 + 1.25)
