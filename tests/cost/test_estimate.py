"""Estimates add up, count everything, and say truthfully what would help."""

import re

import msgspec
import pytest

from codesign.blocks.base import Fold
from codesign.board import load_board
from codesign.cost.adapters import adapters_cost
from codesign.cost.estimate import estimate
from codesign.cost.parts import block_cost
from codesign.cost.resources import total
from codesign.lowering import assemble
from tests.small_graphs import cnn, mlp, residual

BOARD = load_board("pynq-z1")
WIDE = mlp((64, 64, 10), bits=8)
LARGE = {"fc0": Fold(pe=64, simd=32), "fc1": Fold(pe=10, simd=64)}


@pytest.mark.parametrize("graph", [mlp(), cnn(), residual()], ids=lambda g: g.name)
def test_the_total_is_the_sum_of_all_blocks_and_streams(graph):
    design = assemble(graph, {}, BOARD)
    result = estimate(design, BOARD)
    names = [b.name for b in design.blocks] + [s.name for s in design.streams]
    names += ["axis_in", "axis_out"]
    assert [p.name for p in result.parts] == names
    assert result.total == total(p.resources for p in result.parts)
    assert all(p.resources.lut > 0 or p.resources.ff > 0 for p in result.parts)


def test_matrix_vector_cycles_are_the_published_ones():
    """(rows/pe)*(cols/simd)*vectors, as FINN counts them, for the slowest block."""
    folds = {"conv": Fold(pe=2, simd=3), "win": Fold(pe=3)}
    result = estimate(assemble(cnn(), folds, BOARD), BOARD)
    assert (result.interval_cycles, result.bottleneck) == ((4 // 2) * (27 // 3) * 16, "conv")
    assert result.fps == BOARD.clock_hz / 288


def test_a_narrow_host_is_the_bottleneck():
    slow = msgspec.structs.replace(BOARD, memory_bandwidth_bytes_per_s=1e6)
    design = assemble(mlp(), {"fc0": Fold(pe=8, simd=12)}, slow)
    result = estimate(design, slow)
    # 96 bits in and 4 out share 0.08 bits a cycle: 96 / 0.0768 = 1,250 cycles.
    assert (result.bottleneck, result.interval_cycles) == ("host", 1250)


def test_what_fits_says_what_is_fullest():
    verdict = estimate(assemble(mlp(), {}, BOARD), BOARD).verdict
    assert verdict.fits
    assert not verdict.gaps
    assert not verdict.levers
    assert verdict.sentence.startswith("Fits pynq-z1")


def test_what_does_not_fit_says_by_how_much_and_where():
    result = estimate(assemble(WIDE, LARGE, BOARD), BOARD)
    verdict = result.verdict
    assert not verdict.fits
    assert verdict.gaps == pytest.approx(
        {"lut": result.total.lut - 37_240, "ff": result.total.ff - 53_200}
        if result.total.ff > 53_200
        else {"lut": result.total.lut - 37_240}
    )
    assert verdict.contributors[0][:2] == ("fc0", "lut")
    assert "37,240 usable" in verdict.sentence


def test_the_levers_name_what_the_changed_block_costs():
    design = assemble(WIDE, LARGE, BOARD)
    levers = estimate(design, BOARD).verdict.levers
    found = [re.match(r"weights of (\w+) at (\d) bits: (\d+) -> (\d+) LUT", x) for x in levers]
    block, bits, before, after = next(m for m in found if m).groups()
    now = design.block(block)
    assert round(block_cost(now, "xc7").lut) == int(before)
    assert round(block_cost(now.reweighted(int(bits)), "xc7").lut) == int(after)


def test_the_board_that_a_lever_names_holds_the_design():
    small = BOARD.share(0.01)
    design = assemble(mlp((32, 32, 10)), {"fc0": Fold(pe=8, simd=8)}, small)
    levers = estimate(design, small).verdict.levers
    (name,) = (m.group(1) for x in levers if (m := re.match(r"board (\S+) holds it", x)))
    assert estimate(design, load_board(name)).verdict.fits


@pytest.mark.parametrize(
    ("beats", "luts", "flip_flops"),
    [(1, 2, 0), (2, 3, 1), (3, 5, 2), (10, 7, 4), (100, 10, 7), (784, 14, 10)],
)
def test_adapters_take_what_synthesis_takes_of_them_alone(beats, luts, flip_flops):
    """hw/axis_in.sv and hw/axis_out.sv, Yosys 0.59 for xc7."""
    found = adapters_cost("xc7", beats)
    assert (found.lut, found.ff) == (luts, flip_flops)
