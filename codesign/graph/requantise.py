"""A quantiser with many levels as multiply, add and shift, where that is proven to be the same."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from codesign.graph.exact import periodic
from codesign.graph.thresholds import Levels
from codesign.types import QType

MAX_SHIFT = 52


@dataclass(frozen=True)
class Affine:
    """y = clip((x*multiplier[c] + bias[c]) >> shift, otype.min, otype.max).

    With `ties_even` a sum that is a multiple of 2^shift gives the even number not above.
    """

    multiplier: np.ndarray
    bias: np.ndarray
    shift: int
    ties_even: bool = False


@dataclass(frozen=True)
class _Conditions:
    """Rows of bounds on the bias, in u = sign*x: first(k) <= at*M + B and before*M + B < first(k).

    first(k), the smallest sum that gives level k, is k<<S; one more for odd k where ties are even.
    Arrays (rows, T); where `asked` is false a level is never met inside the range.
    """

    at: np.ndarray
    before: np.ndarray
    level: np.ndarray
    asked_at: np.ndarray
    asked_before: np.ndarray

    def bias_range(
        self, multiplier: np.ndarray, shift: int, ties_even: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest bias per row for `multiplier` (rows, 1)."""
        none = np.int64(1) << 62
        first = (self.level << shift) + (self.level & ties_even)
        low = np.where(self.asked_at, first - self.at * multiplier, -none)
        high = np.where(self.asked_before, first - self.before * multiplier - 1, none)
        return low.max(axis=1), high.min(axis=1)

    def only(self, rows: np.ndarray) -> _Conditions:
        """The conditions of some rows."""
        return _Conditions(*(getattr(self, f.name)[rows] for f in fields(self)))


def affine_of(levels: Levels, itype: QType, otype: QType, slope: np.ndarray) -> Affine | None:
    """The smallest shift, multiplier and bias equal to `levels` over all of `itype`, or None.

    `slope` (one per row of `levels`: levels per integer step) only guides the search. The proof is
    at the boundaries: between them both functions are monotone, so it is enough that level k is
    reached at the first integer of k and not at the one before it. Ties to even are tried beside
    ties up: only they meet a power-of-two scale, whose boundaries lie on integers.
    """
    if otype.step != 1:
        return None
    conditions = _conditions(levels, itype, otype)
    searches = [_Search(conditions, ties_even) for ties_even in (False, True)]
    for shift in range(MAX_SHIFT + 1):
        guess = np.rint(np.abs(slope) * float(1 << shift)).astype(np.int64)[:, None]
        if itype.bits + int(guess.max()).bit_length() > 60:
            return None
        for search in searches[: 1 + bool(shift)]:
            found = search.try_shift(guess, shift)
            if found is not None:
                multiplier, bias = found
                sums = periodic(multiplier * levels.sign), periodic(bias)
                return Affine(*sums, shift, search.ties_even)
    return None


@dataclass
class _Search:
    """The search with one rule for ties; `hardest` is a row that failed last."""

    conditions: _Conditions
    ties_even: bool
    hardest: int = 0

    def try_shift(self, guess: np.ndarray, shift: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Multiplier and bias of every row, or None."""
        # A row that failed before is likely to fail again: try it before all the others.
        row = np.array([self.hardest])
        if _fit(self.conditions.only(row), guess[row], shift, self.ties_even)[2].any():
            return None
        multiplier, bias, failed = _fit(self.conditions, guess, shift, self.ties_even)
        if failed.any():
            self.hardest = int(np.flatnonzero(failed)[0])
            return None
        return multiplier, bias


def _conditions(levels: Levels, itype: QType, otype: QType) -> _Conditions:
    rising = levels.sign[:, None] > 0
    lowest = np.where(rising, itype.min, -itype.max).astype(np.int64)
    highest = np.where(rising, itype.max, -itype.min).astype(np.int64)
    # Levels that the table no longer holds are clipped away, unless the type goes on beyond them.
    below = levels.base > otype.min
    above = levels.base + levels.table.shape[1] < otype.max
    table = np.hstack([lowest] * below + [levels.table] + [highest + 1] * above)
    first = levels.base + (0 if below else 1)
    level = np.broadcast_to(first + np.arange(table.shape[1], dtype=np.int64), table.shape)
    return _Conditions(
        at=np.clip(table, lowest, highest),
        before=np.clip(table - 1, lowest, highest),
        level=level,
        asked_at=table <= highest,
        asked_before=table > lowest,
    )


def _fit(
    conditions: _Conditions, guess: np.ndarray, shift: int, ties_even: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Multiplier and bias per row, from the guess or a neighbour; and the rows without any."""
    chosen, bias = guess[:, 0].copy(), np.zeros(len(guess), np.int64)
    open_rows = np.ones(len(guess), bool)
    for nudge in (0, 1, -1):
        low, high = conditions.bias_range(guess + nudge, shift, ties_even)
        take = open_rows & (low <= high)
        chosen[take] = guess[take, 0] + nudge
        bias[take] = _short(low[take], high[take])
        open_rows &= ~take
    return chosen, bias, open_rows


def _short(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The value of smallest magnitude in [low, high]."""
    return np.where(low > 0, low, np.where(high < 0, high, 0))
