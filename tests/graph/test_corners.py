"""Networks off the beaten track: what is unusual in them is exact, or refused by name."""

import numpy as np
import pytest

from codesign.blocks import Requantise
from codesign.board import load_board
from codesign.design_rules import verify
from codesign.errors import BadInput, UnsupportedLayer
from codesign.graph.check import check_against_qonnx
from codesign.graph.execute import execute
from codesign.graph.load import import_model
from codesign.graph.reference import run_qonnx
from codesign.lowering import assemble
from codesign.types import QType
from tests.graph.compared import BYTE, DYADIC, agrees, integers_of, kinds
from tests.graph.nets import Net

RNG = np.random.default_rng(11)


def start(*shape: int, bits: int = 4) -> tuple[Net, str]:
    net = Net((1, *shape))
    return net, net.quant("x", 0.125, bits, signed=0)


def dense(net: Net, x: str, cols: int, rows: int, scale=0.25) -> str:
    return net.node("MatMul", x, net.weight(RNG.normal(size=(cols, rows)), scale, 4))


def refused(tmp_path, net: Net, text: str) -> None:
    with pytest.raises(UnsupportedLayer, match=text):
        import_model(net.save(tmp_path / "net.onnx"), BYTE, DYADIC)


@pytest.mark.parametrize("op", ["AveragePool", "GlobalAveragePool", "MaxPool"])
def test_a_vector_that_becomes_a_picture_of_one_channel(tmp_path, op):
    """Both have one stream order, but not one number of channels."""
    net = Net((1, 16))
    x = net.node("Reshape", "x", net.const(np.array([1, 1, 4, 4])))
    attrs = {} if op.startswith("Global") else {"kernel_shape": [2, 2], "strides": [2, 2]}
    x = net.quant(net.node(op, x, **attrs), 0.125, 4, signed=0)
    dense(net, net.node("Flatten", x), 1 if op.startswith("Global") else 4, 3)
    agrees(tmp_path, net)


def by_channel(net: Net, x: str, channels: int, shift: bool) -> str:
    """Rows of `channels`, each on its own scale, or shifted by its own constant."""
    x = net.quant(dense(net, x, 5, channels), 0.5, 5)
    return net.node("Add" if shift else "Mul", x, net.const(np.arange(1.0, channels + 1)))


@pytest.mark.parametrize("shift", [False, True])
def test_rows_that_scales_do_not_repeat_in_are_refused(tmp_path, shift):
    """3 rows of 4 channels read as 2 rows of 6: the second row begins amid the channels."""
    net, x = start(3, 5)
    x = net.node("Reshape", by_channel(net, x, 4, shift), net.const(np.array([1, 2, 6])))
    dense(net, x, 6, 3)
    refused(tmp_path, net, "differs from row to row")


@pytest.mark.parametrize("shift", [False, True])
def test_sums_of_rows_of_different_lengths(tmp_path, shift):
    """The scales of 4 and of 6 channels repeat together after 12 elements."""
    net, x = start(6, 5)
    flat = net.const(np.array([1, 24]))
    a = net.node("Reshape", by_channel(net, x, 4, shift), flat)
    half = net.node("Slice", x, *(net.const(np.array([v])) for v in (0, 4, 1)))
    b = net.node("Reshape", by_channel(net, half, 6, shift), flat)
    dense(net, net.quant(net.node("Add", a, b), 0.75, 4), 24, 3)
    agrees(tmp_path, net)


@pytest.mark.parametrize("op", ["ArgMax", "Softmax", "TopK"])
def test_classes_along_another_axis_are_refused(tmp_path, op):
    net, x = start(6)
    more = [net.const(np.array([1]))] if op == "TopK" else []
    net.node(op, dense(net, x, 6, 3), *more, axis=0, outputs=1 + len(more))
    refused(tmp_path, net, f"{op}.*axis 0 of a tensor of shape .1, 3.")


def test_the_axis_of_arg_max_is_the_batch_unless_it_is_given(tmp_path):
    net, x = start(6)
    net.node("ArgMax", dense(net, x, 6, 3))
    refused(tmp_path, net, "axis 0")


def test_a_result_that_hardware_does_not_compute_is_no_output(tmp_path):
    net, x = start(6)
    net.node("TopK", dense(net, x, 6, 3), net.const(np.array([1])), outputs=2)
    net.last = net.nodes[-1].output[0]
    refused(tmp_path, net, "TopK.*no hardware form")


def test_an_output_that_no_node_computes(tmp_path):
    net, x = start(6)
    dense(net, x, 6, 3)
    net.last = net.inits[-1].name
    with pytest.raises(BadInput, match="must be the result of a node"):
        import_model(net.save(tmp_path / "net.onnx"), BYTE, DYADIC)


def test_a_layer_may_be_called_host(tmp_path):
    net, x = start(6)
    net.node("MatMul", x, net.weight(RNG.normal(size=(6, 3)), 0.25, 4, "host.weight"))
    graph, _ = agrees(tmp_path, net)
    verify(assemble(graph, {}, load_board("pynq-z1")))


def test_of_two_bounds_that_cross_the_upper_one_counts(tmp_path):
    net, x = start(6)
    x = net.node("Clip", dense(net, x, 6, 3), net.const(np.float32(1)), net.const(np.float32(-1)))
    dense(net, net.quant(x, 0.25, 4), 3, 2)
    agrees(tmp_path, net)


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_windows_of_padding_alone_are_refused(tmp_path, op):
    net, x = start(2, 4, 4)
    x = net.node(op, x, kernel_shape=[2, 2], strides=[3, 3], pads=[1] * 4, ceil_mode=1)
    net.quant(x, 0.125, 4)
    refused(tmp_path, net, f"{op}.*padding alone")


def test_pads_that_cut_off_are_refused(tmp_path):
    net, x = start(2, 4, 4)
    weight = net.weight(RNG.normal(size=(2, 2, 1, 1)), 0.25, 4)
    net.node("Conv", x, weight, pads=[0, -1, 0, 0])
    refused(tmp_path, net, "Conv.*cut pixels off")


def test_infinite_weights_are_not_quantised(tmp_path):
    net, x = start(6)
    net.node("MatMul", x, net.const(np.full((6, 3), np.inf)))
    refused(tmp_path, net, "not quantised")


def test_sums_beyond_64_bits_are_refused(tmp_path):
    net, x = start(6, bits=32)
    weight = net.const(np.full((6, 3), 2.0**12))
    x = net.node("MatMul", net.node("MatMul", x, weight), net.const(np.full((3, 3), 2.0**20)))
    refused(tmp_path, net, "its sums need 69 bits")


def test_a_width_beyond_all_use_is_refused(tmp_path):
    net, _ = start(6, bits=1 << 30)
    refused(tmp_path, net, "from 1 to 32")


@pytest.mark.parametrize("classify", [True, False])
def test_wide_logits_are_cut_to_what_hardware_gives(tmp_path, classify):
    """27-bit sums on a scale and a bias per class: multipliers of as many bits."""
    net = Net((1, 6))
    scales = RNG.uniform(0.01, 0.02, (1, 5))
    x = net.node("MatMul", "x", net.weight(RNG.normal(size=(6, 5)), scales, 8))
    net.node("Add", x, net.const(RNG.normal(size=5)))
    path = net.save(tmp_path / "net.onnx")
    graph = import_model(path, QType(16, False), 2.0**-8, classify=classify)
    x = (RNG.integers(0, 1 << 16, (50, 6)) * 2.0**-8).astype(np.float32)
    assert check_against_qonnx(path, graph, x).ok
    (scaled,) = (n.block for n in graph.nodes if isinstance(n.block, Requantise))
    assert scaled.otype.bits == 32 and scaled.shift > 0
    if not classify:
        q = integers_of(graph, x)
        # The offset is part of the integers here; float32 keeps 24 bits of the largest.
        expected = run_qonnx(path, x)
        assert np.abs(q * graph.output.scale - expected).max() < 2.0**-21 * np.abs(expected).max()


def test_a_left_out_bias(tmp_path):
    net, x = start(2, 4, 4)
    x = net.node("Conv", x, net.weight(RNG.normal(size=(3, 2, 3, 3)), 0.25, 4), "")
    net.quant(x, 0.37, 4)
    x = net.node("Conv", net.last, net.weight(RNG.normal(size=(2, 3, 1, 1)), 0.25, 4), "")
    agrees(tmp_path, net)


def test_no_frames_are_refused(tmp_path):
    net, x = start(6)
    dense(net, x, 6, 3)
    graph, x = agrees(tmp_path, net)
    assert len(kinds(graph)) == 3
    with pytest.raises(BadInput, match="1 frame"):
        execute(graph, np.zeros((0, 6), int))
    with pytest.raises(BadInput, match="1 frame"):
        check_against_qonnx(tmp_path / "net.onnx", graph, x[:0])


def test_a_wide_quantiser_of_integers_on_its_own_grid_costs_nothing(tmp_path):
    net = Net((1, 6))
    dense(net, net.quant("x", 2.0**-8, 13, signed=0), 6, 3)
    graph, _ = agrees(tmp_path, net, QType(13, False), 2.0**-8)
    assert [k.__name__ for k in kinds(graph)] == ["MatVec", "ArgMax"]
