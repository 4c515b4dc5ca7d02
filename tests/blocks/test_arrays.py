"""Exactness of matrix products in every arithmetic they choose."""

from __future__ import annotations

import numpy as np
import pytest

from codesign.blocks import Add
from codesign.blocks.arrays import carrier, exact_kind, matrix_product, narrowed
from codesign.errors import InvariantBroken
from codesign.types import QType


@pytest.mark.parametrize(
    ("bits", "kind"),
    [(4, np.float32), (8, np.float32), (16, np.float64), (28, np.int64), (40, object)],
)
def test_products_are_exact_in_every_kind(bits: int, kind: type) -> None:
    itype, cols = QType(bits), 40
    dice = np.random.default_rng(bits)
    x = dice.integers(itype.min, itype.max + 1, (5, cols))
    w = dice.integers(itype.min, itype.max + 1, (3, cols))
    x[0], w[0] = itype.min, itype.min  # the largest sum there is
    bound = cols * itype.min**2
    assert exact_kind(bound) is kind
    found = matrix_product(x, w, itype, QType.covering(-bound, bound), "here")
    rows = [[sum(int(a) * int(b) for a, b in zip(p, q, strict=True)) for q in w] for p in x]
    assert found.tolist() == rows


def test_floats_stop_where_their_mantissa_does() -> None:
    # 2^24 + 1 is the first integer that float32 cannot hold.
    x, w = np.array([[-(1 << 11), 1]]), np.array([[-(1 << 13), 1]])
    found = matrix_product(x, w, QType(12), QType(40), "here")
    assert found.tolist() == [[(1 << 24) + 1]]


def test_a_result_outside_of_its_type_is_refused() -> None:
    with pytest.raises(InvariantBroken, match="mvu_1.*int4.*found 8 to 8"):
        narrowed(np.array([8]), QType(4), "mvu_1")


def test_no_frames_are_fine() -> None:
    assert narrowed(np.zeros((0, 3)), QType(4), "here").shape == (0, 3)
    empty = matrix_product(np.zeros((0, 4), int), np.ones((2, 4), int), QType(4), QType(8), "here")
    assert empty.shape == (0, 2)


def test_carriers_hold_their_ends() -> None:
    assert carrier(-128, 127) is np.int8
    assert carrier(0, 128) is np.int16
    assert carrier(-(1 << 63), 0) is np.int64
    assert carrier(0, 1 << 63) is object


def test_scaled_sums_beyond_64_bits_are_exact() -> None:
    ends = {"channels": 1, "vectors": 1, "itypes": (QType(40), QType(40))}
    block = Add(name="add", **ends, scales=(1 << 30, -3), otype=QType(72))
    (y,) = block.execute({}, np.array([[-(1 << 39)]]), np.array([[5]]))
    assert y.tolist() == [[-(1 << 69) - 15]]
