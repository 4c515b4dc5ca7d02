"""What-if tables: the present widths give the present design, others what the estimator says."""

import pytest

from codesign.board import load_board
from codesign.cost.estimate import estimate
from codesign.design_rules import verify
from codesign.errors import BadInput
from codesign.search.layers import inner_quantisers, quantisers_before, quantisers_behind, uniform
from codesign.search.plan import plan
from codesign.search.retyping import Retyper, act_bits_of, retype, weight_bits_of
from codesign.search.whatif import per_bitwidth
from tests.small_graphs import cnn, mlp, residual

BOARD = load_board("pynq-z1")
GRAPHS = [mlp((24, 16, 8, 4)), cnn(), residual()]
by_name = {"argvalues": GRAPHS, "ids": lambda g: g.name}


@pytest.fixture(scope="module", params=GRAPHS, ids=lambda g: g.name)
def tabled(request):
    design = plan(request.param, BOARD, target_fps=1e4).design
    return request.param, design, per_bitwidth(request.param, BOARD, design)


@pytest.mark.parametrize("graph", **by_name)
def test_the_present_widths_change_nothing(graph):
    same = retype(graph, weight_bits_of(graph), act_bits_of(graph))
    assert same.nodes == graph.nodes
    assert same.output == graph.output


def test_the_row_at_the_present_widths_is_the_estimate(tabled):
    _, design, table = tabled
    total = estimate(design, BOARD).total.flat()
    assert table.present.resources.flat() == pytest.approx(total)
    for layer in table.layers:
        row = layer.rows[layer.present_bits - 1]
        assert row.resources.flat() == pytest.approx(total)


def test_other_rows_are_the_estimate_of_the_retyped_design(tabled):
    graph, design, table = tabled
    retyper = Retyper(design)
    for bits, row in enumerate(table.uniform, start=1):
        weights = dict.fromkeys(weight_bits_of(graph), bits)
        other = retyper.retyped(weights, dict.fromkeys(inner_quantisers(graph), bits))
        verify(other)
        expected = estimate(other, BOARD)
        assert row.resources.flat() == pytest.approx(expected.total.flat())
        assert row.fits == expected.verdict.fits
        assert row.fps == expected.fps
        assert row.low.flat() == pytest.approx(expected.low.flat())
        assert row.high.flat() == pytest.approx(expected.high.flat())
        assert row.low.lut < row.resources.lut < row.high.lut


def test_more_bits_take_more(tabled):
    _, _, table = tabled
    sizes = [
        r.resources.lut + 200 * r.resources.dsp + 100 * sum(r.resources.ram.values())
        for r in table.uniform
    ]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 2 * sizes[1]


def test_refolded_rows_lose_speed_instead_of_fitting_no_longer():
    board = BOARD.share(0.03)
    table = per_bitwidth(mlp((32, 16, 10)), board, refold=True)
    fps = [row.fps for row in table.refolded]
    assert all(row.fits for row in table.refolded)
    assert fps[0] > fps[3] > fps[7]


def test_input_and_logits_stay_as_they_are():
    graph = mlp((24, 16, 8, 4))
    narrow = uniform(graph, 1)
    assert narrow.nodes[0].block.itype == graph.input.qtype
    assert narrow.output == graph.output
    assert set(weight_bits_of(narrow).values()) == {1}


def test_quantisers_around_layers():
    graph = residual()
    assert quantisers_behind(graph) == {"conv0": ("act0",), "conv1": ("act1",)}
    assert quantisers_before(graph) == {"conv0": ("stem",), "conv1": ("act0",)}
    assert inner_quantisers(graph) == ("act0",)


def test_unknown_names_and_widths_are_refused():
    with pytest.raises(BadInput, match=r"fc9.*fc0"):
        retype(mlp(), {"fc9": 2}, {})
    with pytest.raises(BadInput, match=r"act0.*not 0"):
        retype(mlp(), {}, {"act0": 0})
