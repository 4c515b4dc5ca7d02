"""Sigmoid and tanh as steps of a chain: irrational boundaries, enclosed between rationals.

A boundary y is reached from x = inverse(y) on. For rational y that x is irrational, unless it is 0:
e^q is for every rational q but 0 (Lindemann-Weierstrass). So no rational argument lies on it, and
`Smooth.leaning` moves it by a proven error to either side: where the integer thresholds are the
same for both, they are those of the exact function (`codesign.graph.emit`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Context, Decimal, localcontext
from fractions import Fraction

from codesign.graph.chain import ALWAYS, NEVER, Bound, Chain

# Digits of the computation, and its error relative to |x| + 1 with much to spare: the odds are exact
# but for one correct rounding, as is their logarithm (decimal's ln rounds correctly).
DIGITS = 80
ERROR = Fraction(1, 10**50)


@dataclass(frozen=True)
class Smooth:
    """A rising function with values in (low, 1), whose inverse is ln((y - low)/(1 - y)) * `half`.

    `lean` -1, 0, +1 picks a side of its boundaries.
    """

    low: int
    value: Callable[[Decimal], Decimal]
    half: Fraction
    lean: int = 0
    increasing = True

    def apply(self, x: Fraction, index: int) -> Fraction:
        """Value within 10^-50 (the same for every index)."""
        limit = Fraction(1000)  # beyond, the value is 1 or `low` to 400 digits
        with localcontext(Context(prec=DIGITS)):
            return Fraction(self.value(_decimal(min(max(x, -limit), limit))))

    def back(self, bound: Bound, index: int) -> Bound:
        """Arguments that lead into `bound`."""
        if bound.trivial:
            return bound
        if bound.value <= self.low or bound.value >= 1:
            return bound.moved(ALWAYS if bound.value <= self.low else NEVER)
        if 2 * bound.value == self.low + 1:
            return bound.moved(Fraction(0))
        with localcontext(Context(prec=DIGITS)):
            odds = (bound.value - self.low) / (1 - bound.value)
            x = Fraction(_decimal(odds).ln()) * self.half
        return bound.moved(x + self.lean * ERROR * (abs(x) + 1))


def leaning(chain: Chain, lean: int) -> Chain:
    """The chain with the boundaries of its smooth steps moved to one side."""
    return tuple(replace(s, lean=lean) if isinstance(s, Smooth) else s for s in chain)


def _decimal(x: Fraction) -> Decimal:
    return Decimal(x.numerator) / Decimal(x.denominator)


def _sigmoid(x: Decimal) -> Decimal:
    return 1 / (1 + (-x).exp())


def _tanh(x: Decimal) -> Decimal:
    return 2 * _sigmoid(2 * x) - 1


SIGMOID = Smooth(0, _sigmoid, Fraction(1))
TANH = Smooth(-1, _tanh, Fraction(1, 2))
