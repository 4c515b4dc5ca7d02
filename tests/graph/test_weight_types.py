"""The type in which weights are stored holds their values and is chosen where it costs less."""

from __future__ import annotations

import numpy as np
import pytest

from codesign.graph.weight_types import stored_type
from codesign.rtl.wire import values_of, words
from codesign.types import BIPOLAR, TERNARY, QType

U4, U8, POW3, POW4, POW5 = (
    QType(4, False),
    QType(8, False),
    *(QType(bits, kind="power-of-two") for bits in (3, 4, 5)),
)
# As many exponents as INQ has at these bits.
INQ3, INQ4, INQ5 = (QType(bits, kind="power-of-two", narrow=True) for bits in (3, 4, 5))


@pytest.mark.parametrize(
    ("values", "declared", "itype", "stored"),
    [
        ([-1, 0, 1], QType(2, narrow=True), U4, TERNARY),
        ([-1, 1], QType(4), U4, BIPOLAR),
        ([0, 1], QType(4), U4, QType(1, False)),
        ([-4, 0, 2, 1], QType(4), U4, POW3),
        ([-64, 0, 2, 1], QType(8), U8, POW4),
        ([-16, 4], QType(5), QType(2, False), QType(5)),  # the range up to 64 makes wider sums
        ([-16, 4], QType(5), U8, POW4),
        ([-8, 4], QType(4), QType(2, False), INQ4),
        ([-2, 1], QType(3), U4, INQ3),
        ([-128, 64, 1, 0], QType(9), U4, INQ5),
        ([-256, 64, 1, 0], QType(10), QType(16, False), POW5),
        ([-4, 3], QType(4), U8, QType(4)),
        ([-2, 1], QType(2), U8, QType(2)),  # +-2 needs 3 bits
        ([-4, 2], QType(4), BIPOLAR, QType(4)),  # a bipolar input selects already
        ([-1, 0], TERNARY, U8, TERNARY),
    ],
)
def test_cheapest_type_is_chosen(values, declared, itype, stored) -> None:
    weights = np.array([values, values])
    assert stored_type(weights, declared, itype) == stored
    assert values_of(words(weights[0], stored, len(values))[0], stored, len(values)) == values


def test_no_weights_keep_their_type() -> None:
    assert stored_type(np.zeros((0, 3), int), QType(4), U4) == QType(4)


@pytest.mark.parametrize("bits", [2, 3, 4, 5])
@pytest.mark.parametrize("narrow", [False, True])
def test_every_code_of_a_power_of_two_is_a_sign_and_an_exponent(bits: int, narrow: bool) -> None:
    qtype = QType(bits, kind="power-of-two", narrow=narrow)
    half = 1 << (bits - 1)
    powers = [0] + [2**e for e in range(half // 2 if narrow else half - 1)]
    codes = {v: code for code, v in enumerate(powers)}
    codes |= {-v: half + code for v, code in codes.items() if v}
    assert {v: words(np.array(v), qtype, 1)[0] for v in codes} == codes
    assert (qtype.min, qtype.max, qtype.levels) == (-max(powers), max(powers), len(codes))
