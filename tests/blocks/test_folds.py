"""What is offered as a folding, and what the errors say."""

from __future__ import annotations

import msgspec
import pytest

from codesign.blocks import AnyBlock, MatVec, Threshold, WidthConverter, Window
from codesign.blocks.base import Fold, ParamRef
from codesign.blocks.sum_types import products_type
from codesign.errors import IllegalFold, InvariantBroken
from codesign.types import BIPOLAR, TERNARY, QType


def unit(itype: QType, wtype: QType) -> MatVec:
    return MatVec(
        name="mvu_3",
        rows=8,
        cols=144,
        vectors=4,
        itype=itype,
        wtype=wtype,
        acc=products_type(144, itype, wtype),
        weight=ParamRef("w", (8, 144), wtype),
    )


def test_the_text_names_block_knob_and_nearest_values() -> None:
    with pytest.raises(IllegalFold) as raised:
        unit(QType(4), QType(4)).folded(Fold(1, 10))
    text = "mvu_3: simd must divide cols (144), not 10; nearest legal: 9, 12"
    assert str(raised.value) == text
    assert raised.value.fields["legal"] == tuple(d for d in range(1, 145) if 144 % d == 0)


def test_all_divisors_are_offered() -> None:
    legal = unit(QType(4), QType(4)).legal_folds()
    pairs = {(f.pe, f.simd) for f in legal}
    assert pairs == {(p, s) for p in range(1, 9) for s in range(1, 145) if not 8 % p + 144 % s}
    assert len(legal) == 4 * len(pairs)  # multipliers in LUTs or DSPs, weights in LUTs or blocks


@pytest.mark.parametrize(
    ("itype", "wtype", "offered"),
    [
        (QType(8), QType(8), True),
        (QType(4, False), QType(4, narrow=True), True),
        (QType(8), QType(3), True),
        (QType(16), QType(2), True),
        (QType(7), QType(2), False),
        (QType(8), QType(4, kind="power-of-two"), False),
        (QType(8), BIPOLAR, False),
        (TERNARY, QType(8), False),
    ],
)
def test_dsps_are_offered_for_real_products_only(itype, wtype, offered) -> None:
    block = unit(itype, wtype)
    assert any(f.multiplier == "dsp" for f in block.legal_folds()) is offered
    if not offered:
        with pytest.raises(IllegalFold, match="mvu_3: multiplier must be lut here, not dsp"):
            block.folded(Fold(multiplier="dsp"))


def test_shared_thresholds_need_no_memory() -> None:
    shared = next(b for b, _ in Threshold.examples() if b.thresholds.shape[0] == 1)
    with pytest.raises(IllegalFold, match="memory must be lut here, not block"):
        shared.folded(Fold(memory="block"))


def test_lanes_of_a_converter_divide_each_other() -> None:
    block, _ = WidthConverter.examples()[0]
    with pytest.raises(IllegalFold, match=r"width_.*must divide the lanes of the larger \(4\)"):
        msgspec.structs.replace(block, in_lanes=3).check()


def test_a_narrower_type_gives_up_the_dsp() -> None:
    block = unit(QType(6), QType(8)).folded(Fold(2, 3, "dsp"))
    assert block.reweighted(6).fold == block.fold
    assert block.reweighted(2).fold == Fold(2, 3, "lut")
    block.reweighted(2).check()


def test_a_parameter_of_another_shape_is_refused() -> None:
    block = msgspec.structs.replace(unit(QType(4), QType(4)), cols=72)
    with pytest.raises(
        InvariantBroken, match=r"mvu_3: w must have shape \(8, 72\), not \(8, 144\)"
    ):
        block.check()


@pytest.mark.parametrize(
    ("whole", "broken", "text"),
    [
        ('"rows":8', '"rows":0', r"`int` >= 1 - at `\$.rows`"),
        ('"pe":1', '"pe":0', r"`int` >= 1 - at `\$.fold.pe`"),
        ('"shape":[8,144]', '"shape":[]', r"length >= 1 - at `\$.weight.shape`"),
        ('"kind":"int"', '"kind":"bipolar"', "bipolar has 1 bit.s., not 4"),
        ('"kind":"int"', '"kind":"ternary"', "ternary has 2 bit.s., not 4"),
    ],
)
def test_a_broken_field_is_refused_when_read(whole, broken, text) -> None:
    encoded = msgspec.json.encode(unit(QType(4), QType(4))).decode()
    assert whole in encoded
    with pytest.raises(msgspec.ValidationError, match=text):
        msgspec.json.decode(encoded.replace(whole, broken, 1), type=AnyBlock)


def test_several_taps_need_all_channels() -> None:
    block, _ = Window.examples()[0]  # 4 channels under 3 x 3
    legal = {(f.pe, f.simd) for f in block.legal_folds()}
    assert legal == {(1, 1), (2, 1), (4, 1), (4, 3), (4, 9)}
    with pytest.raises(IllegalFold) as raised:
        block.folded(Fold(pe=2, simd=9))
    text = "window_0: simd must be 1 unless pe is channels (4), not 9 with pe 2"
    assert str(raised.value) == f"{text}; nearest legal: simd 1, or pe 4"
    with pytest.raises(IllegalFold, match="window_0: simd must be 1 or 3 or 9 here, not 6"):
        block.folded(Fold(pe=4, simd=6))
