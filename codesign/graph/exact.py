"""Exact rational numbers: a float is the rational it stores, and nothing is rounded unseen.

Rational vectors are NumPy object arrays of `fractions.Fraction`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from functools import reduce

import numpy as np

SQRT_BITS = 200


def rationals(values: object) -> np.ndarray:
    """The exact values of an array of floats or integers, as an object array of that shape."""
    array = np.asarray(values)
    flat = [v if isinstance(v, Fraction) else Fraction(v) for v in array.ravel().tolist()]
    out = np.empty(len(flat), object)
    out[:] = flat
    return out.reshape(array.shape)


def sqrt(value: Fraction) -> Fraction:
    """Square root: exact for the square of a rational, otherwise within a relative 2^-200.

    One and the same approximation is used wherever the root occurs, so that products with it that
    cancel in exact arithmetic also cancel here.
    """
    num, den = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if num * num == value.numerator and den * den == value.denominator:
        return Fraction(num, den)
    shift = SQRT_BITS + max(0, value.denominator.bit_length() - value.numerator.bit_length())
    return Fraction(math.isqrt((value.numerator << (2 * shift)) // value.denominator), 1 << shift)


def gcd(values: Iterable[Fraction]) -> Fraction:
    """Largest rational of which every value is an integer multiple; 0 when all are 0."""
    return reduce(
        lambda a, b: Fraction(
            math.gcd(a.numerator * b.denominator, b.numerator * a.denominator),
            a.denominator * b.denominator,
        ),
        values,
        Fraction(0),
    )


def is_integer(values: np.ndarray) -> bool:
    """True when every rational is a whole number."""
    return all(v.denominator == 1 for v in values.ravel())


def periodic(values: np.ndarray, period: int = 1) -> np.ndarray:
    """The shortest of 1, `period` and len(values) elements that, repeated, gives `values`."""
    for length in (1, period):
        head = values[:length]
        if len(values) % length == 0 and bool(np.all(values.reshape(-1, length) == head)):
            return head
    return values
