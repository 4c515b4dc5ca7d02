"""Analytic LUTs of the matrix-vector unit against synthesis, and their course over folds and bits."""

from __future__ import annotations

from statistics import median

import pytest

from codesign.blocks import MatVec
from codesign.blocks.base import Fold, ParamRef
from codesign.blocks.multipliers import counts_ones, product_parameters, sums
from codesign.blocks.sum_types import products_type
from codesign.characterise.rows import DATA, OK, read_rows, unit_of
from codesign.cost.family import load_family
from codesign.types import BIPOLAR, TERNARY, QType

XC7 = load_family("xc7")
MEMORY = ("weights", "input buffer")
SLOWEST = Fold()


def unit(wbits: int, abits: int, fold: Fold = SLOWEST, rows: int = 64, cols: int = 32) -> MatVec:
    wtype, itype = (BIPOLAR if b == 1 else QType(b) for b in (wbits, abits))
    return MatVec(
        name="mvu",
        rows=rows,
        cols=cols,
        vectors=1,
        itype=itype,
        wtype=wtype,
        acc=products_type(cols, itype, wtype),
        weight=ParamRef("w", (rows, cols), wtype),
        fold=fold,
    )


def datapath_luts(block: MatVec, without: tuple[str, ...] = MEMORY) -> float:
    terms = block.cost_terms(XC7)
    return sum(t.resources.lut for t in terms if t.name not in without)


def test_units_are_within_the_stated_error_of_synthesis() -> None:
    """Rows of the data set whose weights take turns in a memory; constants are another matter."""
    luts, flip_flops = [], []
    for row in read_rows(DATA, "xc7", "MatVec"):
        block = unit_of(row)
        if row.state == OK and block.rows * block.cols > row.pe * row.simd * 4:
            cost = block.cost(XC7)
            luts.append(cost.lut / row.lut)
            flip_flops.append(cost.ff / row.ff)
    assert len(luts) >= 15
    assert 0.75 < median(luts) < 1.1
    assert median(abs(f - 1) for f in flip_flops) < 0.03


@pytest.mark.parametrize("abits", [1, 2, 4, 8])
@pytest.mark.parametrize("fold", [Fold(), Fold(4, 8), Fold(64, 32)])
def test_every_bit_of_the_weights_costs(abits: int, fold: Fold) -> None:
    start = unit(1, abits, fold)
    luts = [start.reweighted(bits).cost(XC7).lut for bits in range(1, 9)]
    assert luts == sorted(luts) and len(set(luts)) == 8
    deep = unit(1, abits, Fold(1, 1, "lut", "block"), rows=512, cols=1024)
    blocks = [deep.reweighted(bits).cost(XC7).ram["BRAM18"] for bits in (1, 2, 4, 8)]
    assert blocks[-1] > 7 * blocks[0]
    assert blocks == sorted(blocks)


@pytest.mark.parametrize("wbits", [1, 2, 4, 8])
def test_every_bit_of_the_activations_costs(wbits: int) -> None:
    luts = [datapath_luts(unit(wbits, bits, Fold(4, 8))) for bits in range(1, 9)]
    assert luts == sorted(luts) and len(set(luts)) == 8


@pytest.mark.parametrize("bits", [(1, 1), (1, 4), (4, 4), (8, 8)])
def test_datapath_grows_with_the_fold_without_a_cliff(bits: tuple[int, int]) -> None:
    sizes = (1, 2, 4, 8, 16, 32)
    for p in sizes[:-1]:
        for s in sizes[:-1]:
            # With 64 columns there is always an accumulator. Counters get shorter: not compared.
            here, wider, taller = (
                datapath_luts(unit(*bits, Fold(*f), cols=64), (*MEMORY, "counters", "handshake"))
                for f in ((p, s), (p, 2 * s), (2 * p, s))
            )
            assert here < wider < 3.5 * here
            assert here < taller < 2.2 * here


def test_dsps_are_counted_where_the_family_multiplies() -> None:
    fold = Fold(4, 8, "dsp")
    cost = unit(8, 8, fold).cost(XC7)
    assert cost.dsp == 16  # 4 x 8 products, two rows to a DSP
    assert unit(8, 8, Fold(1, 8, "dsp")).cost(XC7).dsp == 8
    assert cost.lut < unit(8, 8, Fold(4, 8)).cost(XC7).lut / 2
    # 25 x 18 signed: one operand of 20 bits is two parts; of 24 bits one fits the 25.
    assert unit(20, 20, fold).cost(XC7).dsp == unit(24, 24, fold).cost(XC7).dsp == 64
    assert unit(40, 40, fold).cost(XC7).dsp == 32 * 2 * 3


def test_the_accumulator_follows_and_keeps_its_slack() -> None:
    block = unit(4, 4)
    tight = block.__class__(
        **{f: getattr(block, f) for f in block.__struct_fields__ if f != "acc"}, acc=QType(10)
    )
    # The worst case of 32 products int4 x int4 is 2048 = 13 bits: 3 bits of slack.
    assert tight.reweighted(4) == tight
    # New weights are symmetric: 32 * 127 * 8 = 32512 = 16 bits.
    assert tight.reweighted(8).acc == QType(13)
    assert tight.retyped(QType(2)).acc == QType(8)
    assert tight.reweighted(1).wtype == BIPOLAR
    # 32 * 8 = 256 = 10 bits in the worst case, of which 3 are slack.
    assert tight.reweighted(1).acc == QType(7)


@pytest.mark.parametrize(
    ("a", "b", "counts"),
    [
        (BIPOLAR, BIPOLAR, True),
        (QType(1, signed=False), QType(1, signed=False), True),
        # hw/mvu_core.sv counts ones of factors of one kind; -1 and 0 are another than 0 and 1.
        (QType(1), QType(1, signed=False), False),
        (BIPOLAR, QType(1, signed=False), False),
    ],
)
def test_ones_are_counted_where_the_hardware_counts_them(a, b, counts):
    parameters = product_parameters(a, b, "lut")
    one_bit = parameters["InBits"] == parameters["WeightBits"] == 1
    assert (one_bit and parameters["InKind"] == parameters["WeightKind"]) is counts
    assert counts_ones(a, b) is counts


@pytest.mark.parametrize(
    ("a", "b", "luts"),
    [
        (BIPOLAR, TERNARY, (1, 3, 7, 13)),
        (QType(2, narrow=True), BIPOLAR, (1, 3, 7, 13)),
        (BIPOLAR, QType(1, signed=False), (1, 3.5, 5, 14)),
    ],
)
def test_sums_of_narrow_selections(a, b, luts):
    """hw/adder_tree.sv behind hw/product.sv alone, Yosys 0.59 for xc7."""
    found = tuple(sums(XC7, lanes, a, b, 1).resources.lut for lanes in (1, 2, 3, 4))
    assert found == luts
