"""Thresholds against direct evaluation with fractions, for every value of the accumulator."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from codesign.graph.chain import Clip, Leak, Linear
from codesign.graph.exact import rationals
from codesign.graph.requantise import affine_of
from codesign.graph.thresholds import ROUNDING, levels_of
from codesign.types import QType


def half_away(v: Fraction) -> int:
    return int(math.copysign(math.floor(abs(v) + Fraction(1, 2)), v))


def half_towards(v: Fraction) -> int:
    return int(math.copysign(math.ceil(abs(v) - Fraction(1, 2)), v))


# Written from the definitions, not from the boundaries that the implementation uses.
ROUND = {
    "ROUND": round,
    "HALF_EVEN": round,
    "FLOOR": math.floor,
    "CEIL": math.ceil,
    "DOWN": math.trunc,
    "ROUND_TO_ZERO": math.trunc,
    "UP": lambda v: int(math.copysign(math.ceil(abs(v)), v)),
    "HALF_UP": half_away,
    "HALF_DOWN": half_towards,
}

small = st.fractions(min_value=-3, max_value=3, max_denominator=8)
dyadic = st.integers(-24, 24).map(lambda n: Fraction(n, 8))


@st.composite
def steps(draw):
    """A step of two rows, and what it does to a row's value."""
    kind = draw(st.sampled_from(["linear", "linear", "relu", "clip", "leak"]))
    if kind == "linear":
        scale, offset = (draw(st.lists(dyadic, min_size=2, max_size=2)) for _ in range(2))
        return (
            Linear(rationals(scale), rationals(offset)),
            lambda v, row: scale[row] * v + offset[row],
        )
    if kind == "relu":
        return Clip(Fraction(0), None), lambda v, row: max(v, Fraction(0))
    if kind == "clip":
        low, high = sorted((draw(small), draw(small)))
        return Clip(low, high), lambda v, row: min(max(v, low), high)
    slope = abs(draw(small)) + Fraction(1, 8)
    return Leak(slope), lambda v, row: v if v >= 0 else v * slope


@given(
    st.lists(steps(), min_size=1, max_size=4),
    st.sampled_from(sorted(ROUND)),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from([QType(4), QType(5, False), QType(1, True, "bipolar"), QType(3, narrow=True)]),
)
@settings(max_examples=300, deadline=None)
def test_levels_equal_direct_evaluation(chain, mode, bits, signed, itype):
    low, high = (-(1 << bits), (1 << bits) - 1) if signed else (0, (1 << bits) - 1)
    bounds = [ROUNDING[mode](k) for k in range(low + 1, high + 1)]
    levels = levels_of(tuple(s for s, _ in chain), [bounds], 2, itype, low, 1)
    x = np.arange(itype.min, itype.max + 1, itype.step)
    got = levels.apply(np.broadcast_to(x, (len(levels.table), len(x))))
    for row in range(2):
        for i, value in enumerate(x):
            v = Fraction(int(value))
            for _, function in chain:
                v = function(v, row)
            want = min(max(ROUND[mode](v), low), high)
            assert got[row % len(got), i] == want, (mode, v, row)


def applied(affine, x, otype, row=0):
    """The block's function from its definition: half up, or half to even, of the sum less 1/2."""
    m, b = (int(np.resize(v, 3)[row]) for v in (affine.multiplier, affine.bias))
    sums = [Fraction(int(v) * m + b, 1 << affine.shift) for v in x]
    levels = [round(s - Fraction(1, 2)) if affine.ties_even else math.floor(s) for s in sums]
    return np.clip(levels, otype.min, otype.max)


@given(
    st.integers(1, 2000).map(lambda n: Fraction(n, 4096)),
    st.fractions(min_value=-40, max_value=40, max_denominator=1000),
    st.integers(5, 8),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_requantise_equals_thresholds_for_every_accumulator(scale, offset, bits, signed, falls):
    itype, otype = QType(11), QType(bits, signed)
    step = Linear(rationals([-scale if falls else scale]), rationals([offset]))
    bounds = [ROUNDING["ROUND"](k) for k in range(otype.min + 1, otype.max + 1)]
    levels = levels_of((step,), [bounds], 1, itype, otype.min, 1)
    affine = affine_of(levels, itype, otype, np.array([float(scale)]))
    assume(affine is not None)
    x = np.arange(itype.min, itype.max + 1)
    y = applied(affine, x, otype)
    want = [
        min(max(round(offset + (-scale if falls else scale) * int(v)), otype.min), otype.max)
        for v in x
    ]
    np.testing.assert_array_equal(y, want)


def test_requantise_is_found_for_an_ordinary_scale():
    itype, otype = QType(18), QType(8, False)
    scale = Fraction(0.0031415927410125732)
    bounds = [ROUNDING["ROUND"](k) for k in range(1, 256)]
    step = Linear(rationals([scale]), rationals([Fraction(0.3)]))
    levels = levels_of((step,), [bounds], 1, itype, 0, 1)
    affine = affine_of(levels, itype, otype, np.array([float(scale)]))
    x = np.arange(itype.min, itype.max + 1)
    np.testing.assert_array_equal(applied(affine, x, otype), levels.apply(x[None])[0])


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_ties_to_even_of_a_power_of_two(bits):
    """x/4 rounded half to even: steps of 3 and 5 in turn, which no line gives without the rule."""
    itype, otype = QType(bits + 7), QType(6, narrow=True)
    bounds = [ROUNDING["ROUND"](k) for k in range(otype.min + 1, otype.max + 1)]
    scales = [Fraction(1, 1 << bits), Fraction(-1, 1 << bits), Fraction(3, 2 << bits)]
    step = Linear(rationals(scales), rationals([0, Fraction(1, 2), 1]))
    levels = levels_of((step,), [bounds], 3, itype, otype.min, 1)
    affine = affine_of(levels, itype, otype, np.array([float(s) for s in scales]))
    assert affine.ties_even and affine.shift == bits + 1
    x = np.arange(itype.min, itype.max + 1)
    for row, offset in enumerate((0, Fraction(1, 2), 1)):
        want = np.clip([round(scales[row] * int(v) + offset) for v in x], otype.min, otype.max)
        np.testing.assert_array_equal(applied(affine, x, otype, row), want)


def test_ties_to_odd_have_no_affine_form():
    """ONNX with an odd zero point rounds x/4 to the odd neighbour."""
    itype, otype = QType(9), QType(6)
    bounds = [ROUNDING["ROUND"](k - 1).moved(k - Fraction(1, 2)) for k in range(-31, 32)]
    step = Linear(rationals([Fraction(1, 4)]), rationals([0]))
    levels = levels_of((step,), [bounds], 1, itype, otype.min, 1)
    assert affine_of(levels, itype, otype, np.array([0.25])) is None


@pytest.mark.parametrize("row", range(3))
def test_affine_search_honours_every_row(row):
    """Rows of one block share the shift; the hardest one decides it."""
    itype, otype = QType(12), QType(6, False)
    scales = [Fraction(1, 7), Fraction(3, 1001), Fraction(-5, 77)]
    bounds = [ROUNDING["ROUND"](k) for k in range(1, 64)]
    step = Linear(rationals(scales), rationals([Fraction(1, 3)] * 3))
    levels = levels_of((step,), [bounds], 3, itype, 0, 1)
    affine = affine_of(levels, itype, otype, np.array([float(s) for s in scales]))
    x = np.arange(itype.min, itype.max + 1)
    want = levels.apply(np.broadcast_to(x, (3, len(x))))[row]
    np.testing.assert_array_equal(applied(affine, x, otype, row), want)


def test_pruned_levels_keep_the_function():
    """Levels beyond the range of the integers leave the table, not the function."""
    bounds = [ROUNDING["FLOOR"](k) for k in range(-7, 8)]
    levels = levels_of((Linear(rationals([1]), rationals([2])),), [bounds], 1, QType(2), -8, 1)
    assert levels.table.shape[1] == 3
    assert levels.apply(np.array([[-2, -1, 0, 1]])).tolist() == [[0, 1, 2, 3]]
