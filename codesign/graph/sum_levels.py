"""A quantiser behind a sum of two scaled integers: small multipliers that order the sums alike.

A quantiser reads only on which side of its thresholds sa*a + sb*b lies. Any integers p, q do for
which p*a + q*b separates the same pairs (a, b); for n-bit a and b some of about n bits always do: a
fraction p/q between the same two neighbours as sa/sb among the fractions with numerators and
denominators up to 2^n (a Farey sequence) orders all pairs alike. They are searched along the
continued fraction of sa/sb, from the simplest on, and every candidate is proven on all pairs of the
type's values and all thresholds, in whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from codesign.graph.chain import ALWAYS, Bound, Chain, preimage
from codesign.graph.exact import periodic
from codesign.graph.thresholds import Bounds, Levels
from codesign.graph.values import Tensor
from codesign.types import QType

INT64_BITS = 61
MARGIN = 2.0**-46
FAR = 1 << 60
LOWEST = np.iinfo(np.int64).min
# Comparisons of a row, and of all rows: some seconds.
ROW_COMPARISONS = 1 << 22
COMPARISONS = 1 << 28


@dataclass(frozen=True)
class Sum:
    """z = scales[0]*a + scales[1]*b + offset in one row of the stream; exact rationals."""

    scales: tuple[Fraction, Fraction]
    offset: Fraction
    itypes: tuple[QType, QType]


@dataclass(frozen=True)
class Separation:
    """Which pairs (a, b) reach each of T ascending sets {sign*z >= t}.

    f is one of the two, times the sign of its scale in sign*z, within [low, high] in steps of `step`;
    `others` are the values of the other one, times its sign. `first` (T, others) is the smallest f
    in the set, beyond `high` where there is none.
    """

    first: np.ndarray
    others: np.ndarray
    low: int
    high: int
    step: int
    sign: int

    def thresholds(self, p: int, q: int) -> np.ndarray | None:
        """Smallest p*f + q*g in each set where all outside are smaller; None if some are not.

        A set that nothing reaches has one more than the largest.
        """
        offsets = q * self.others
        reached = p * np.maximum(self.first, self.low) + offsets
        beyond = p * self.high + int(offsets.max()) + 1
        at = np.where(self.first <= self.high, reached, beyond).min(axis=1)
        below = p * np.minimum(self.first - self.step, self.high) + offsets
        before = np.where(self.first > self.low, below, LOWEST).max(axis=1)
        return at if np.all(before < at) else None


@dataclass(frozen=True)
class SumLevels:
    """y = levels(factors[0]*a + factors[1]*b): `factors` hold one integer, or one for each row.

    `unit` is about the real value of one step of that sum, row by row.
    """

    factors: tuple[np.ndarray, np.ndarray]
    levels: Levels
    unit: np.ndarray


def separable(terms: tuple[Tensor, Tensor], bounds: Bounds, rows: int) -> bool:
    """True where all pairs and thresholds can be looked at in some seconds."""
    row = min(t.qtype.levels for t in terms) * max(len(sets) for sets in bounds)
    return row <= ROW_COMPARISONS and row * rows <= COMPARISONS


def sum_levels(
    terms: tuple[Tensor, Tensor], chain: Chain, bounds: Bounds, rows: int, base: int, step: int
) -> SumLevels:
    """Small factors and thresholds for the sets `bounds` of the chain's value, proven equal."""
    sums = [_sum(terms, row) for row in range(rows)]
    sides = [_sides(total) for total in sums]
    parts = []
    for row, total in enumerate(sums):
        sets = [preimage(chain, bound, row) for bound in bounds[row % len(bounds)]]
        parts.append(_separated(total, sides[row][0], sets))
    ratios = [_ratio(total, side) for total, side in zip(sums, sides, strict=True)]
    if all(r == ratios[0] for r in ratios) and all(s == sides[0] for s in sides):
        pairs = [_simplest(parts, ratios[0])] * rows
    else:
        pairs = [_simplest([part], ratio) for part, ratio in zip(parts, ratios, strict=True)]
    table = np.stack([part.thresholds(*pair) for part, pair in zip(parts, pairs, strict=True)])
    sign = np.array([part.sign for part in parts], np.int64)
    factors = np.array([_factors(*row) for row in zip(pairs, sides, strict=True)], np.int64).T
    units = np.array([_unit(*row) for row in zip(sums, pairs, sides, strict=True)])
    factors = (periodic(factors[0]), periodic(factors[1]))
    return SumLevels(factors, Levels(base, step, table, sign), units)


def _sum(terms: tuple[Tensor, Tensor], row: int) -> Sum:
    steps = [term.linear for term in terms]
    scales = tuple(s.scale[row % len(s.scale)] for s in steps)
    offset = sum((s.offset[row % len(s.offset)] for s in steps), Fraction(0))
    return Sum(scales, offset, tuple(t.qtype for t in terms))


def _sides(total: Sum) -> tuple[int, int, int]:
    """Which term is f (the one with more values, and a scale), and the signs of both scales."""
    (a, b), (sa, sb) = total.itypes, total.scales
    chosen = int((b.levels > a.levels and sb != 0) or sa == 0)
    return chosen, -1 if sa < 0 else 1, -1 if sb < 0 else 1


def _ratio(total: Sum, side: tuple[int, int, int]) -> Fraction | None:
    """|scale of f / scale of g|; None where one of them does not count."""
    f, g = total.scales[side[0]], total.scales[1 - side[0]]
    return abs(f / g) if f and g else None


def _factors(pair: tuple[int, int], side: tuple[int, int, int]) -> tuple[int, int]:
    """Multipliers of a and b."""
    p, q = pair if side[0] == 0 else pair[::-1]
    return p * side[1], q * side[2]


def _unit(total: Sum, pair: tuple[int, int], side: tuple[int, int, int]) -> float:
    return abs(float(total.scales[side[0]])) / pair[0]


def _separated(total: Sum, chosen: int, bounds: list[Bound]) -> Separation:
    sign = -1 if any(b.flipped and not b.trivial for b in bounds) else 1
    sf, sg = (sign * total.scales[i] for i in (chosen, 1 - chosen))
    tf, tg = (total.itypes[i] for i in (chosen, 1 - chosen))
    low, high = (-tf.max, -tf.min) if sf < 0 else (tf.min, tf.max)
    values = np.arange(tg.min, tg.max + 1, tg.step)
    others = -values if sg < 0 else values
    first = np.stack(
        [
            _first(b, sign, sign * total.offset, abs(sf), abs(sg), others, (low, high))
            for b in bounds
        ]
    )
    # A bipolar f has nothing between its two values.
    first = low + -((low - first) // tf.step) * tf.step
    return Separation(first, others, low, high, tf.step, sign)


def _first(
    bound: Bound,
    sign: int,
    offset: Fraction,
    sf: Fraction,
    sg: Fraction,
    others: np.ndarray,
    reach: tuple[int, int],
) -> np.ndarray:
    """Smallest f with sign*z = sf*f + sg*g + offset in the set, for each g; up to high + 1."""
    low, high = reach
    if not bound.trivial:
        target = sign * bound.value - offset
        inclusive = bound.inclusive if sign > 0 else not bound.inclusive
    if bound.trivial or sf == 0:
        always = (bound.value == ALWAYS) != bound.flipped
        if not bound.trivial:
            always = target < 0 or (inclusive and target == 0)
        return np.full(len(others), low if always else high + 1)
    start, slope = target / sf, sg / sf
    found = _whole(start, slope, inclusive, others)
    found = _rounded(start, slope, inclusive, others) if found is None else found
    return found.clip(low, high + 1)


def _whole(
    start: Fraction, slope: Fraction, inclusive: bool, others: np.ndarray
) -> np.ndarray | None:
    """Smallest integer at or behind start - slope*g, where int64 holds it all; otherwise None."""
    common = slope.denominator
    scaled = start * common
    edge = math.ceil(scaled) if inclusive else math.floor(scaled) + 1
    largest = abs(edge) + abs(slope.numerator) * int(abs(others).max())
    if largest.bit_length() > INT64_BITS or common.bit_length() > INT64_BITS:
        return None
    return -((slope.numerator * others - edge) // common)


def _rounded(start: Fraction, slope: Fraction, inclusive: bool, others: np.ndarray) -> np.ndarray:
    """The same in float64; near a whole number, in rationals."""
    limit = Fraction(1 << 50)
    near = float(min(max(start, -limit), limit)) - float(slope) * others
    found = np.ceil(near).clip(-FAR, FAR).astype(np.int64)
    error = MARGIN * (abs(float(start)) + abs(float(slope)) * np.abs(others) + 1)
    for i in np.flatnonzero(np.abs(near - np.rint(near)) <= error):
        exact = start - slope * int(others[i])
        edge = math.ceil(exact) if inclusive else math.floor(exact) + 1
        found[i] = min(max(edge, -FAR), FAR)
    return found


def _simplest(parts: list[Separation], ratio: Fraction | None) -> tuple[int, int]:
    """Small p, q that separate in every one of `parts`; `ratio` is that of the scales of f and g.

    p/q runs along the continued fraction of `ratio`, up to the first fraction that lies between the
    Farey neighbours of `ratio`: p above the span of g or q above that of f.
    """
    if ratio is None:
        return 1, 0
    spans = int(np.ptp(parts[0].others)), parts[0].high - parts[0].low
    before, last = (0, 1), (1, 0)
    for whole in _continued(ratio):
        enough = [(s - b) // v + 1 for s, b, v in zip(spans, before, last, strict=True) if v]
        term = min(whole, *enough)
        if _serves(parts, _mixed(before, last, term)):
            return _least(parts, before, last, term)
        before, last = last, _mixed(before, last, term)
    return last


def _least(
    parts: list[Separation], before: tuple[int, int], last: tuple[int, int], term: int
) -> tuple[int, int]:
    """The fraction of the smallest k in 1..term that bisection finds to serve."""
    fails, serves = 0, term
    while serves - fails > 1:
        middle = (fails + serves) // 2
        if _serves(parts, _mixed(before, last, middle)):
            serves = middle
        else:
            fails = middle
    return _mixed(before, last, serves)


def _mixed(before: tuple[int, int], last: tuple[int, int], term: int) -> tuple[int, int]:
    return before[0] + term * last[0], before[1] + term * last[1]


def _serves(parts: list[Separation], pair: tuple[int, int]) -> bool:
    return pair[0] > 0 and all(part.thresholds(*pair) is not None for part in parts)


def _continued(ratio: Fraction) -> Iterator[int]:
    """Terms of the continued fraction."""
    num, den = ratio.numerator, ratio.denominator
    while den:
        yield num // den
        num, den = den, num % den
