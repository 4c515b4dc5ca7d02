"""From a quantiser behind a chain of steps to integer thresholds, exactly.

A quantiser gives at least level k where its argument lies in an upper set with boundary at k, k-1/2
or k-1 (the rounding mode says which, and whether the boundary belongs to it). Carried back through
the chain that set becomes a comparison of the integer: x >= T, or -x >= T where the chain falls.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from codesign.blocks.threshold import count_reached
from codesign.graph.chain import ALWAYS, Bound, Chain, Linear, preimage, split_uniform
from codesign.graph.cuts import Cuts
from codesign.types import QType

HALF = Fraction(1, 2)

# Level k is reached from this boundary on; numpy's rounding, as qonnx applies it.
ROUNDING: dict[str, Callable[[int], Bound]] = {
    "ROUND": lambda k: Bound(k - HALF, inclusive=k % 2 == 0),
    "HALF_EVEN": lambda k: Bound(k - HALF, inclusive=k % 2 == 0),
    "FLOOR": lambda k: Bound(Fraction(k)),
    "CEIL": lambda k: Bound(Fraction(k - 1), inclusive=False),
    "DOWN": lambda k: Bound(Fraction(k)) if k > 0 else Bound(Fraction(k - 1), inclusive=False),
    "ROUND_TO_ZERO": lambda k: ROUNDING["DOWN"](k),
    "UP": lambda k: Bound(Fraction(k - 1), inclusive=False) if k > 0 else Bound(Fraction(k)),
    "HALF_UP": lambda k: Bound(k - HALF, inclusive=k > 0),
    "HALF_DOWN": lambda k: Bound(k - HALF, inclusive=k <= 0),
}

# One ascending list of upper sets for each row of the stream, or one list for all rows.
Bounds = list[list[Bound]]


@dataclass(frozen=True)
class Levels:
    """Integer thresholds of a quantiser: y = base + step*#{k : sign[c]*x >= table[c, k]}.

    `table` (channels or 1, T) ascends along each row and lies within the range of sign*x, one
    above it where a level is never reached; `sign` is +1 or -1 per row.
    """

    base: int
    step: int
    table: np.ndarray
    sign: np.ndarray

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Levels of the integers `x`, an array (rows of `table`, any)."""
        count = count_reached((x * self.sign[:, None]).T, self.table).T
        return self.base + self.step * count.astype(np.int64)


def levels_of(
    chain: Chain, bounds: Bounds, rows: int, itype: QType, base: int, step: int
) -> Levels:
    """Thresholds on integers of `itype` for the upper sets `bounds` of the chain's value.

    The bounds of a row ascend, one for each level above `base`; `rows` is the common period of
    chain and bounds. Rows that fall get sign -1, so that every comparison has one direction.
    """
    head, tail = split_uniform(chain)
    carried = [[preimage(tail, bound, 0) for bound in row] for row in bounds]
    cuts = [Cuts.of(row) for row in carried]
    found = [
        _linear_row(head, cuts[row % len(cuts)], row, itype)
        or _row(head, carried[row % len(carried)], row, itype)
        for row in range(rows)
    ]
    table = np.array([first for first, _ in found], np.int64)
    sign = np.array([sign for _, sign in found], np.int64)
    return pruned(Levels(base, step, table, sign), itype)


def _linear_row(
    head: Chain, cuts: Cuts | None, row: int, itype: QType
) -> tuple[list[int], int] | None:
    """Thresholds and sign of a row that is just a*x + b, a != 0; otherwise None."""
    if cuts is None or len(head) != 1 or not isinstance(head[0], Linear):
        return None
    a = head[0].scale[row % len(head[0].scale)]
    b = head[0].offset[row % len(head[0].offset)]
    if a == 0:
        return None
    low, high = (-itype.max, -itype.min) if a < 0 else (itype.min, itype.max)
    return cuts.first_integers(abs(a), b, low, high + 1), -1 if a < 0 else 1


def _row(chain: Chain, bounds: list[Bound], row: int, itype: QType) -> tuple[list[int], int]:
    sets = [preimage(chain, bound, row) for bound in bounds]
    # Constant rows can be read either way; all others have one direction throughout.
    falls = any(s.flipped and not s.trivial for s in sets)
    low, high = (-itype.max, -itype.min) if falls else (itype.min, itype.max)
    first = [_first(s, falls, low, high + 1) for s in sets]
    return first, -1 if falls else 1


def _first(bound: Bound, falls: bool, low: int, beyond: int) -> int:
    """Smallest sign*x in the set, saturated to [low, beyond]."""
    if bound.trivial:
        return low if (bound.value == ALWAYS) != bound.flipped else beyond
    if falls:  # not (x > v) is -x >= -v; not (x >= v) is -x > -v
        value, inclusive = -bound.value, not bound.inclusive
    else:
        value, inclusive = bound.value, bound.inclusive
    return min(max(math.ceil(value) if inclusive else math.floor(value) + 1, low), beyond)


def pruned(levels: Levels, itype: QType) -> Levels:
    """Without the levels that every row always or never reaches; at least one level stays."""
    table, sign = levels.table, levels.sign
    lowest = np.where(sign > 0, itype.min, -itype.max)[:, None]
    highest = np.where(sign > 0, itype.max, -itype.min)[:, None]
    always = int(np.all(table <= lowest, axis=0).sum())
    never = int(np.all(table > highest, axis=0).sum())
    always = min(always, table.shape[1] - 1)
    stop = max(table.shape[1] - never, always + 1)
    shared = table[:, always:stop]
    if len(shared) > 1 and np.all(shared == shared[:1]) and np.all(sign == sign[0]):
        shared, sign = shared[:1], sign[:1]
    return Levels(levels.base + levels.step * always, levels.step, shared, sign)
