"""What-if on the widths of activations, and the cost of the two kinds of quantiser."""

from __future__ import annotations

import msgspec
import pytest

from codesign.blocks import Requantise, Threshold
from codesign.blocks.base import Fold, ParamRef
from codesign.cost.family import load_family
from codesign.types import BIPOLAR, QType

XC7 = load_family("xc7")
INT12 = QType(12)


def threshold(otype: QType, channels: int = 64, itype: QType = INT12) -> Threshold:
    return Threshold(
        name="t",
        channels=channels,
        vectors=10,
        itype=itype,
        otype=otype,
        base=otype.min,
        thresholds=ParamRef("t", (channels, otype.levels - 1), itype),
    )


@pytest.mark.parametrize("start", [QType(4, False), QType(4), QType(4, narrow=True), BIPOLAR])
def test_few_levels_are_thresholds(start: QType) -> None:
    block = threshold(start)
    assert block.requantised(start.bits) is block
    for bits in range(1, 5):
        other = block.requantised(bits)
        assert isinstance(other, Threshold)
        other.check()
        assert other.otype.bits == bits and other.otype.signed == start.signed
        assert other.thresholds.shape == (64, other.otype.levels - 1)
        assert other.base == other.otype.min
        assert other.stages == bits  # a binary search decides one bit after another
    assert block.requantised(1).otype == (BIPOLAR if start.signed else QType(1, False))


@pytest.mark.parametrize("channels", [1, 64])
def test_many_levels_are_scaled_and_back(channels: int) -> None:
    block = threshold(QType(3), channels)
    for bits in range(5, 9):
        other = block.requantised(bits)
        assert isinstance(other, Requantise) and other.otype == QType(bits)
        other.check()
        assert other.rows == channels and other.inputs() == block.inputs()
        again = other.requantised(3)
        assert isinstance(again, Threshold)
        assert again.thresholds.shape == block.thresholds.shape
    # The way to a width does not matter.
    assert block.requantised(6).shift == block.requantised(5).requantised(6).shift


def test_memory_holds_every_threshold_bit() -> None:
    # 64 channels of 15 thresholds of 12 bits, one lane: 64, 128, 256, 512 words of 12 bits in LUTs
    # of 64 bits are 1, 2, 4, 8 LUTs a bit; four leaves share the free multiplexers of a slice, and
    # eight need one more LUT.
    terms = {t.name: t.resources for t in threshold(QType(4, False)).cost_terms(XC7)}
    assert terms["tables"].lut == 12 * (1 + 2 + 4 + 8 + 1)
    # In block RAMs the same words are one BRAM18 a stage (512 x 36).
    block = threshold(QType(4, False)).folded(Fold(1, memory="block"))
    assert block.cost(XC7).ram == {"BRAM18": 4}
    assert block.latency_cycles == 4 + 4


def test_cost_rises_with_every_bit() -> None:
    luts = [threshold(QType(4)).requantised(bits).cost(XC7).lut for bits in range(1, 9)]
    assert luts == sorted(luts) and len(set(luts)) == 8
    by_thresholds = [threshold(QType(b)).cost(XC7).lut for b in range(2, 9)]
    assert by_thresholds == sorted(by_thresholds) and by_thresholds[-1] > 3 * luts[-1]
    wider = [threshold(QType(4), itype=QType(b)).cost(XC7).lut for b in range(4, 24)]
    assert wider == sorted(wider) and len(set(wider)) == 20


def test_requantise_is_cheaper_than_many_thresholds() -> None:
    levels = threshold(QType(8))
    scaled = Requantise(
        name="r",
        channels=64,
        vectors=10,
        itype=QType(12),
        otype=QType(8),
        multiplier=ParamRef("m", (64,), QType(12, False)),
        bias=ParamRef("b", (64,), QType(24)),
        shift=14,
    )
    assert scaled.cost(XC7).lut < levels.cost(XC7).lut / 3
    assert scaled.requantised(6).shift == 16
    assert scaled.requantised(8) == scaled


def test_a_base_that_only_inverts_a_bit_is_free() -> None:
    plain = threshold(QType(4, False))
    signed = threshold(QType(4))
    narrow = msgspec.structs.replace(signed, base=-7)
    assert plain.cost(XC7).lut == signed.cost(XC7).lut < narrow.cost(XC7).lut
