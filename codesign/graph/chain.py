"""How a real number depends on an integer: a chain of exact monotone steps, channel by channel.

A step knows its value and how it carries a threshold back: for a set {y : y >= t} of its results
it gives the set of its arguments that lead there. So a whole chain turns the levels of a quantiser
into comparisons of the integer, without any rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

ALWAYS = float("-inf")
NEVER = float("inf")


@dataclass(frozen=True)
class Bound:
    """{y : y >= value}, or y > value unless `inclusive`; its complement when `flipped`.

    `value` is a Fraction, ALWAYS (everything) or NEVER (nothing).
    """

    value: Fraction | float
    inclusive: bool = True
    flipped: bool = False

    @property
    def trivial(self) -> bool:
        """True for everything and nothing."""
        return isinstance(self.value, float)

    def moved(self, value: Fraction | float) -> Bound:
        """The same relation to another value."""
        return Bound(value, self.inclusive, self.flipped)

    def holds(self, y: Fraction) -> bool:
        """True when `y` is in the set."""
        return _inside(y, self) != self.flipped


@dataclass(frozen=True)
class Linear:
    """y = scale*x + offset; vectors of rationals of length 1 or of a period of the stream."""

    scale: np.ndarray
    offset: np.ndarray

    def apply(self, x: Fraction, index: int) -> Fraction:
        """Value for stream index `index`."""
        return self.scale[index % len(self.scale)] * x + self.offset[index % len(self.offset)]

    def back(self, bound: Bound, index: int) -> Bound:
        """Arguments that lead into `bound`."""
        a = self.scale[index % len(self.scale)]
        b = self.offset[index % len(self.offset)]
        if bound.trivial:
            return bound
        if a == 0:
            return bound.moved(ALWAYS if _inside(b, bound) else NEVER)
        value = (bound.value - b) / a
        if a > 0:
            return bound.moved(value)
        return Bound(value, not bound.inclusive, not bound.flipped)

    @property
    def increasing(self) -> bool:
        """True when a larger argument never gives a smaller value."""
        return all(a >= 0 for a in self.scale)

    def then(self, scale: np.ndarray, offset: np.ndarray) -> Linear:
        """This step followed by y*scale + offset."""
        return Linear(wide(self.scale, scale, np.multiply), _affine(self.offset, scale, offset))


@dataclass(frozen=True)
class Clip:
    """y = min(max(x, low), high), so `high` wins; None is no bound. Relu is Clip(0, None)."""

    low: Fraction | None
    high: Fraction | None
    increasing = True

    def apply(self, x: Fraction, index: int) -> Fraction:
        """Value (the same for every index)."""
        x = x if self.low is None else max(x, self.low)
        return x if self.high is None else min(x, self.high)

    def back(self, bound: Bound, index: int) -> Bound:
        """Arguments that lead into `bound`."""
        if bound.trivial:
            return bound
        if self.high is not None and not _inside(self.high, bound):
            return bound.moved(NEVER)
        if self.low is not None and _inside(self.low, bound):
            return bound.moved(ALWAYS)
        return bound


@dataclass(frozen=True)
class Leak:
    """y = x for x >= 0, slope*x below, slope > 0 (LeakyRelu)."""

    slope: Fraction
    increasing = True

    def apply(self, x: Fraction, index: int) -> Fraction:
        """Value (the same for every index)."""
        return x if x >= 0 else x * self.slope

    def back(self, bound: Bound, index: int) -> Bound:
        """Arguments that lead into `bound`."""
        if bound.trivial or bound.value >= 0:
            return bound
        return bound.moved(bound.value / self.slope)


Step = Linear | Clip | Leak
Chain = tuple[Step, ...]


def evaluate(chain: Chain, x: int | Fraction, index: int) -> Fraction:
    """Real value of the integer `x` at stream index `index`."""
    value = Fraction(x)
    for step in chain:
        value = step.apply(value, index)
    return value


def preimage(chain: Chain, bound: Bound, index: int) -> Bound:
    """The integers (as a set of rationals) whose real value lies in `bound`."""
    for step in reversed(chain):
        bound = step.back(bound, index)
    return bound


def period(chain: Chain) -> int:
    """After how many stream indices the chain repeats."""
    vectors = [v for s in chain if isinstance(s, Linear) for v in (s.scale, s.offset)]
    return lcm(*map(len, vectors))


def split_uniform(chain: Chain) -> tuple[Chain, Chain]:
    """The chain in two parts, of which the second is the same for every stream index."""
    for i in range(len(chain), 0, -1):
        step = chain[i - 1]
        if isinstance(step, Linear) and len(step.scale) + len(step.offset) > 2:
            return chain[:i], chain[i:]
    return (), chain


def extended(chain: Chain, scale: np.ndarray, offset: np.ndarray) -> Chain:
    """The chain followed by y*scale + offset, merged into its last linear step."""
    if isinstance(chain[-1], Linear):
        return (*chain[:-1], chain[-1].then(scale, offset))
    return (*chain, Linear(scale, offset))


def wide(a: np.ndarray, b: np.ndarray, op: Callable) -> np.ndarray:
    """`op` of two periodic vectors, over a common period."""
    length = lcm(len(a), len(b))
    return op(np.resize(a, length), np.resize(b, length))


def _affine(x: np.ndarray, scale: np.ndarray, offset: np.ndarray) -> np.ndarray:
    return wide(wide(x, scale, np.multiply), offset, np.add)


def _inside(y: Fraction, bound: Bound) -> bool:
    """True when `y` is in the set, before it is flipped."""
    return y > bound.value or (bound.inclusive and y == bound.value)
