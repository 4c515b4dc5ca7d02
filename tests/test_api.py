"""The Python API: what the tutorial does not show."""

from __future__ import annotations

import numpy as np
import pytest

from codesign import api
from codesign.blocks.add import Add
from codesign.blocks.base import Fold
from codesign.blocks.requantise import Requantise
from codesign.design import HostInput, HostOutput, load_params
from codesign.errors import BadInput, InvariantBroken
from codesign.graph.bare import without_plumbing
from codesign.graph.execute import execute, graph_of
from codesign.graph.ir import IntGraph, Node
from codesign.lowering import assemble
from codesign.types import BIPOLAR, QType, qtype_of
from tests.graph.test_channels_last import picture_net

U4, U5 = QType(4, signed=False), QType(5, signed=False)


@pytest.fixture(scope="module")
def diamond() -> IntGraph:
    """y = (x + x) + x for 6 channels at 10 positions, in two adders that share the input."""
    first = Add(name="twice", channels=6, vectors=10, itypes=(U4, U4), scales=(1, 1), otype=U5)
    second = Add(
        name="thrice",
        channels=6,
        vectors=10,
        itypes=(U5, U4),
        scales=(1, 1),
        otype=QType(6, signed=False),
    )
    return IntGraph(
        name="diamond",
        nodes=(Node(first, ("x", "x"), ("t",)), Node(second, ("t", "x"), ("y",))),
        input=HostInput("x", (10, 6), (6, 10), U4),
        output=HostOutput("y", (10, 6), QType(6, signed=False)),
        input_tensor="x",
        output_tensor="y",
    )


def test_plumbing_comes_off_and_goes_on_again(diamond):
    folds = {"twice": Fold(pe=2), "thrice": Fold(pe=3)}
    design = assemble(diamond, folds, api.board("pynq-z2"))
    assert {type(b).__name__ for b in design.blocks} == {"Add", "Fork", "WidthConverter"}
    bare = without_plumbing(graph_of(design, {}))
    assert [type(n.block).__name__ for n in bare.nodes] == ["Add", "Add"]
    assert assemble(bare, folds, api.board("pynq-z2")) == design
    x = np.random.default_rng(1).integers(0, 16, (5, 60))
    np.testing.assert_array_equal(execute(bare, x), 3 * x)


def test_a_residual_design_is_saved_read_and_simulated(diamond, tmp_path):
    plan = api.estimate(diamond, "arty-a7-35t", target_fps=100_000)
    page = api.save(plan, tmp_path, diamond.params)
    assert api.load(tmp_path) == plan.design
    simulation = api.simulate(api.load(tmp_path))
    assert simulation.interval_cycles == plan.estimate.interval_cycles
    assert 'data-figure="network"' in page.read_text()


def test_execute_takes_real_inputs_in_the_models_own_shape(diamond):
    x = np.arange(60.0).reshape(1, 6, 10) % 16
    y = api.execute(diamond, x)
    np.testing.assert_array_equal(y.reshape(10, 6), 3 * x[0].T)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((1, 10, 6)), "must have shape"),
        (np.float32(3), "must have shape"),
        (np.full((1, 6, 10), np.nan), "finite numbers, found NaN or infinity"),
        (np.full((1, 6, 10), -np.inf), "finite numbers, found NaN or infinity"),
        (np.full((1, 6, 10), "a"), "must be an array of numbers"),
        ([[1.0], [2.0, 3.0]], "must be an array of numbers"),
    ],
)
def test_execute_refuses_what_is_no_input(diamond, x, words):
    with pytest.raises(BadInput, match=words):
        api.execute(diamond, x)


@pytest.mark.parametrize("frames", [0, -1])
def test_less_than_a_frame_is_refused(diamond, tmp_path, frames):
    plan = api.estimate(diamond, "pynq-z2")
    with pytest.raises(BadInput, match=f"frames must be at least 1, not {frames}"):
        api.simulate(plan.design, frames=frames)
    with pytest.raises(BadInput, match=f"frames must be at least 1, not {frames}"):
        api.verify(tmp_path, frames=frames)


def test_a_design_of_another_version_is_refused(diamond, tmp_path):
    api.save(api.estimate(diamond, "pynq-z2"), tmp_path, diamond.params)
    path = tmp_path / "design.json"
    assert '"version": 1' in path.read_text()
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    with pytest.raises(BadInput, match=r"not a valid design .*\$\.version"):
        api.load(tmp_path)


def test_a_block_that_a_design_lacks_is_named_with_those_it_has(diamond):
    design = api.estimate(diamond, "pynq-z2").design
    with pytest.raises(BadInput, match="no block 'thirce'; there are host_fork, twice, thrice"):
        design.block("thirce")


def test_a_graph_needs_a_board(diamond):
    with pytest.raises(BadInput, match="a board is needed"):
        api.estimate(diamond)


def test_a_share_of_a_board_is_a_board(diamond):
    plan = api.estimate(diamond, "pynq-z2-25pct")
    assert plan.estimate.budget == api.board("pynq-z2").share(0.25).budget()
    assert api.simulate(plan.design).fps > 0


def test_simulate_moves_a_design_to_another_board(diamond):
    own = api.estimate(diamond, "arty-a7-35t").design
    assert api.simulate(own, "ulx3s-85f").clock_hz == api.board("ulx3s-85f").clock_hz


@pytest.mark.parametrize(
    ("word", "qtype"),
    [("uint8", QType(8, signed=False)), ("int4", QType(4)), ("bipolar", BIPOLAR)],
)
def test_types_by_name(word, qtype):
    assert qtype_of(word) == qtype


@pytest.mark.parametrize("word", ["", "int", "uint0", "8", "float32", "int8x", "uint33", "int-4"])
def test_words_that_are_no_type(word):
    with pytest.raises(BadInput, match="input type must be"):
        qtype_of(word)


def test_params_of_a_saved_design_are_the_graphs(tmp_path):
    block, params = Requantise.examples()[0]
    port_in, port_out = block.inputs()[0], block.outputs()[0]
    graph = IntGraph(
        name="one",
        nodes=(Node(block, ("x",), ("y",)),),
        input=HostInput("x", (port_in.elements,), (port_in.elements,), port_in.qtype),
        output=HostOutput("y", (port_out.elements,), port_out.qtype),
        input_tensor="x",
        output_tensor="y",
        params=params,
    )
    api.save(api.estimate(graph, "pynq-z2"), tmp_path, graph.params)
    found = load_params(tmp_path)
    assert found.keys() == params.keys()
    for name, array in params.items():
        np.testing.assert_array_equal(found[name], array)


def test_report_refuses_a_folder_without_a_design(tmp_path):
    with pytest.raises(BadInput, match="neither report.json nor design.json"):
        api.report(tmp_path)


def test_a_design_edited_by_hand_is_verified(diamond, tmp_path):
    api.save(api.estimate(diamond, "pynq-z2"), tmp_path, diamond.params)
    text = (tmp_path / "design.json").read_text()
    (tmp_path / "design.json").write_text(text.replace('"twice.in1"', '"twice.in9"'))
    with pytest.raises(InvariantBroken, match=r"twice\.in9"):
        api.load(tmp_path)


@pytest.mark.parametrize("target", [0, -5, float("nan"), float("inf")])
@pytest.mark.parametrize("key", ["target_fps", "target_latency_s"])
def test_a_target_must_be_over_zero_and_finite(diamond, key, target):
    with pytest.raises(BadInput, match=f"{key} must be over 0"):
        api.estimate(diamond, "pynq-z2", **{key: target})


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_an_offset_must_be_finite(tmp_path, number):
    with pytest.raises(BadInput, match="input offset must be finite"):
        api.load(tmp_path / "any.onnx", "uint8", 1.0, number)


def test_a_scale_needs_the_type_it_belongs_to(tmp_path):
    path = tmp_path / "net.onnx"
    picture_net(1, True).save(path)
    with pytest.raises(BadInput, match="no integer type.*--input"):
        api.load(path, input_scale=0.5)
