"""Accumulators have the bits that the very weights need, and not one more."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from codesign.blocks import Depthwise, MatVec
from codesign.blocks.base import ParamRef
from codesign.graph.products import _accumulator
from codesign.types import BIPOLAR, TERNARY, QType

INPUTS = (QType(2, False), QType(2), QType(3, narrow=True), BIPOLAR, TERNARY)


def _values(qtype: QType) -> range:
    return range(qtype.min, qtype.max + 1, qtype.step)


def _bits(values: set[int]) -> int:
    """Bits by trying one width after another."""
    signed = min(values) < 0
    for bits in range(1, 64):
        low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
        if low <= min(values) and max(values) <= high:
            return bits
    raise AssertionError


@pytest.mark.parametrize("itype", INPUTS, ids=str)
@pytest.mark.parametrize("seed", range(12))
def test_width_is_that_of_all_sums_over_all_inputs(itype: QType, seed: int) -> None:
    dice = np.random.default_rng(seed)
    spread = (1, 2, 7, 100)[seed % 4]
    weights = dice.integers(-spread, spread + 1, (3, 4))
    if seed % 3 == 0:
        weights = abs(weights)
    inputs = itertools.product(_values(itype), repeat=4)
    sums = {
        sum(w * x for w, x in zip(row, xs, strict=True))
        for xs in inputs
        for row in weights.tolist()
    }
    found = _accumulator(weights, itype)
    assert (found.bits, found.signed) == (_bits(sums), min(sums) < 0)


@pytest.mark.parametrize("kind", [MatVec, Depthwise])
def test_worst_inputs_reach_the_last_bit(kind: type) -> None:
    """With one bit less, `execute` would refuse its own result."""
    itype, weight = QType(4, False), np.array([[7, -8, 3, 1], [0, 5, -2, -2]])
    acc = _accumulator(weight, itype)
    sizes = {"rows": 2, "cols": 4} if kind is MatVec else {"channels": 2, "taps": 4}
    block = kind(
        name="b",
        **sizes,
        vectors=1,
        itype=itype,
        wtype=QType(4),
        acc=acc,
        weight=ParamRef("w", (2, 4), QType(4)),
    )
    row = (weight[0] > 0) * 15
    x = row if kind is MatVec else np.repeat(row, 2)
    (y,) = block.execute({"w": weight}, x[None])
    assert y.max() == 15 * (7 + 3 + 1) > acc.max // 2
