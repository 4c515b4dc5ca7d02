"""Integers as bits on wires: the only place that knows how a type is encoded."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from codesign.types import QType

# Codes of the `Kind` parameters of hw/ (hw/product.sv).
KINDS = {"unsigned": 0, "signed": 1, "bipolar": 2, "ternary": 3, "power-of-two": 4}


def wire_kind(qtype: QType) -> int:
    """Code of how hardware reads a value of this type."""
    plain = "signed" if qtype.signed else "unsigned"
    return KINDS[plain if qtype.kind == "int" else qtype.kind]


def wire_code(value: int, qtype: QType) -> int:
    """The bits of one value: two's complement, 1 for +1 and 0 for -1, or a sign and an exponent."""
    if qtype.kind == "bipolar":
        return int(value > 0)
    if qtype.kind == "power-of-two":
        return (int(value < 0) << (qtype.bits - 1)) | abs(int(value)).bit_length()
    return int(value) & ((1 << qtype.bits) - 1)


def packed(codes: Iterable[int], bits: int) -> int:
    """Codes of `bits` bits side by side, the first in the least significant bits."""
    word = 0
    for i, code in enumerate(codes):
        word |= code << (i * bits)
    return word


def words(values: np.ndarray, qtype: QType, lanes: int) -> tuple[int, ...]:
    """Words of `lanes` values each, in order; the first value in the least significant bits."""
    codes = [wire_code(v, qtype) for v in values.reshape(-1).tolist()]
    return tuple(packed(codes[i : i + lanes], qtype.bits) for i in range(0, len(codes), lanes))


def values_of(word: int, qtype: QType, lanes: int) -> list[int]:
    """The values of one word: the inverse of `words`."""
    mask = (1 << qtype.bits) - 1
    codes = [(word >> (i * qtype.bits)) & mask for i in range(lanes)]
    if qtype.kind == "bipolar":
        return [2 * code - 1 for code in codes]
    if qtype.kind == "power-of-two":
        return [_power(code, qtype) for code in codes]
    wrap = 1 << qtype.bits if qtype.min < 0 else 0
    return [code - wrap if code > qtype.max else code for code in codes]


def _power(code: int, qtype: QType) -> int:
    """The value of a sign and an exponent (hw/product_shift.sv)."""
    sign, exponent = divmod(code, 1 << (qtype.bits - 1))
    return (-1) ** sign * ((1 << exponent) >> 1)
