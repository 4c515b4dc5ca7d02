"""Exact integer arrays: narrow carriers, checked ranges, and matrix products by fast BLAS."""

from __future__ import annotations

import numpy as np

from codesign.errors import InvariantBroken
from codesign.types import QType

# Values of one chunk of a matrix product: keeps the floating-point copies under 100 MB.
CHUNK_VALUES = 1 << 23


def carrier(low: int, high: int) -> type:
    """Narrowest signed NumPy integer that holds [low, high]; `object` (Python ints) over 64 bits."""
    for kind in (np.int8, np.int16, np.int32, np.int64):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return kind
    return object


def exact_kind(bound: int) -> type:
    """Fastest type in which sums of absolute value up to `bound` are exact: BLAS where it can be."""
    if bound < 1 << 24:
        return np.float32
    if bound < 1 << 53:
        return np.float64
    return np.int64 if bound < 1 << 63 else object


def magnitude(qtype: QType) -> int:
    """Largest absolute value of a type."""
    return max(-qtype.min, qtype.max)


def narrowed(values: np.ndarray, qtype: QType, where: str) -> np.ndarray:
    """`values` in the carrier of `qtype`; raises InvariantBroken when one lies outside of it."""
    if values.size:
        low, high = values.min(), values.max()
        if low < qtype.min or high > qtype.max:
            raise InvariantBroken(
                f"{where}: results must lie in {qtype} [{qtype.min}, {qtype.max}], "
                f"found {int(low)} to {int(high)}",
                block=where,
            )
    return values.astype(carrier(qtype.min, qtype.max))


def only_value(values: np.ndarray) -> int | None:
    """The value of an array that holds one, otherwise None."""
    return int(values.flat[0]) if values.size == 1 else None


def heaviest_row(w: np.ndarray) -> int:
    """Largest sum of absolute weights in a row of w (rows, cols)."""
    # Python integers where 64 bits could overflow.
    small = w.dtype != object and w.size and max(-int(w.min()), int(w.max())) < 1 << 40
    return int(abs(w.astype(np.int64 if small else object)).sum(axis=1).max(initial=0))


def matrix_product(
    x: np.ndarray, w: np.ndarray, itype: QType, otype: QType, where: str
) -> np.ndarray:
    """Exact x @ w.T for x (n, cols) of `itype` and w (rows, cols); the result has type `otype`.

    Every partial sum is below max|x| * sum|w|, so floating point below its mantissa is exact.
    """
    kind = exact_kind(magnitude(itype) * heaviest_row(w))
    weights = w.T.astype(kind)
    result = np.empty((len(x), len(w)), carrier(otype.min, otype.max))
    chunk = max(1, CHUNK_VALUES // sum(w.shape))
    for start in range(0, len(x), chunk):
        part = x[start : start + chunk].astype(kind) @ weights
        result[start : start + chunk] = narrowed(part, otype, where)
    return result
