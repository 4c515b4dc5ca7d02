"""Small networks of every kind of layer: integers against qonnx's execution of the same file."""

import numpy as np
import pytest

from codesign.blocks import (
    Add,
    Depthwise,
    MatVec,
    MaxPool,
    Pad,
    Threshold,
    Window,
)
from codesign.graph.load import import_model
from codesign.graph.reference import run_qonnx
from codesign.types import QType
from tests.graph.compared import agrees, integers_of, kinds
from tests.graph.nets import Net


def values(graph, x):
    """Real outputs of the integer graph, in the ONNX order of a vector."""
    return integers_of(graph, x) * graph.output.scale


def test_flatten_permutes_the_columns(tmp_path):
    """(C, H, W) flattens channels first, the stream carries channels last."""
    rng = np.random.default_rng(0)
    net = Net((1, 3, 4, 5))
    x = net.quant("x", 0.125, 4, signed=0)
    x = net.node("Flatten", x, axis=1)
    net.node("MatMul", x, net.weight(rng.normal(size=(60, 7)), 0.25, 3, "fc.weight"))
    graph, x = agrees(tmp_path, net, classify=False)
    np.testing.assert_array_equal(values(graph, x), run_qonnx(tmp_path / "net.onnx", x))
    assert graph.nodes[-1].block.name == "fc"


def test_reshape_and_transpose_are_index_algebra(tmp_path):
    rng = np.random.default_rng(1)
    net = Net((1, 2, 3, 4))
    x = net.quant("x", 0.125, 4, signed=0)
    x = net.node("Transpose", x, perm=[0, 3, 1, 2])
    x = net.node("Reshape", x, net.const(np.array([1, -1])))
    net.node("MatMul", x, net.weight(rng.normal(size=(24, 5)), 0.25, 3))
    graph, x = agrees(tmp_path, net, classify=False)
    np.testing.assert_array_equal(values(graph, x), run_qonnx(tmp_path / "net.onnx", x))


@pytest.mark.parametrize("stride, pads, dilation", [(1, 0, 1), (2, 1, 1), (1, 2, 2)])
def test_convolution(tmp_path, stride, pads, dilation):
    rng = np.random.default_rng(2)
    net = Net((1, 3, 9, 8))
    x = net.quant("x", 2**-8, 8, signed=0)
    weight = net.weight(rng.normal(size=(4, 3, 3, 2)), 0.25, 4, "conv1.weight")
    bias = net.const(rng.normal(size=4))
    attrs = {"pads": [pads, 0, pads, pads], "dilations": [dilation] * 2, "strides": [stride] * 2}
    x = net.node("Conv", x, weight, bias, kernel_shape=[3, 2], **attrs)
    x = net.node("Relu", net.batch_norm(x, rng, 4))
    net.quant(x, 0.3, 3, signed=0)
    graph, _ = agrees(tmp_path, net)
    expected = [Pad] * bool(pads) + [Window, MatVec, Threshold]
    assert kinds(graph) == expected
    assert graph.origins["conv1"][:2] == ("Conv_3", "conv1.weight")


def test_depthwise_with_input_scales_per_channel(tmp_path):
    rng = np.random.default_rng(3)
    net = Net((1, 4, 6, 6))
    x = net.quant("x", rng.uniform(0.1, 0.4, (1, 4, 1, 1)), 3, signed=0)
    weight = net.weight(rng.normal(size=(4, 1, 3, 3)), rng.uniform(0.1, 0.4, (4, 1, 1, 1)), 4)
    x = net.node("Conv", x, weight, kernel_shape=[3, 3], group=4, pads=[1, 1, 1, 1])
    net.quant(x, 0.21, 4)
    graph, _ = agrees(tmp_path, net)
    assert kinds(graph) == [Threshold, Pad, Window, Depthwise, Threshold]


def test_one_dimensional_convolution_and_pool(tmp_path):
    rng = np.random.default_rng(4)
    net = Net((1, 2, 20))
    x = net.quant("x", 0.125, 5, signed=0)
    weight = net.weight(rng.normal(size=(4, 2, 3)), 0.25, 4)
    x = net.node("Conv", x, weight, kernel_shape=[3], pads=[1, 1])
    x = net.quant(net.node("Relu", x), 0.375, 3, signed=0)
    x = net.node("MaxPool", x, kernel_shape=[2], strides=[2])
    x = net.node("Flatten", x)
    net.node("MatMul", x, net.weight(rng.normal(size=(40, 6)), 0.25, 4))
    graph, _ = agrees(tmp_path, net)
    assert kinds(graph)[:6] == [Threshold, Pad, Window, MatVec, Threshold, Window]


def test_pool_of_sums_moves_behind_the_quantiser(tmp_path):
    """A batch norm with negative scale in front of the pool needs no pool of minima."""
    rng = np.random.default_rng(5)
    net = Net((1, 3, 7, 7))
    x = net.quant("x", 0.125, 5, signed=0)
    weight = net.weight(rng.normal(size=(4, 3, 3, 3)), 0.25, 4)
    x = net.node("Conv", x, weight, kernel_shape=[3, 3])
    x = net.node(
        "MaxPool", net.batch_norm(x, rng, 4), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1
    )
    net.quant(net.node("Relu", x), 0.3, 3, signed=0)
    graph, _ = agrees(tmp_path, net)
    assert kinds(graph) == [Threshold, Window, MatVec, Threshold, Window, MaxPool]


def test_offsets_per_channel_go_through_the_products(tmp_path):
    rng = np.random.default_rng(21)
    net = Net((1, 3, 5, 5))
    x = net.node(
        "Add", net.quant("x", 2**-4, 4, signed=0), net.const(rng.normal(size=(1, 3, 1, 1)))
    )
    x = net.node("Conv", x, net.weight(rng.normal(size=(4, 3, 2, 2)), 0.25, 4), kernel_shape=[2, 2])
    x = net.node("Add", net.quant(x, 0.4, 4), net.const(rng.normal(size=(1, 4, 1, 1))))
    weight = net.weight(rng.normal(size=(4, 1, 2, 2)), 0.25, 4)
    x = net.node("Conv", x, weight, kernel_shape=[2, 2], group=4)
    x = net.node("Flatten", net.quant(x, 0.4, 4))
    x = net.node("Add", x, net.const(rng.normal(size=36)))
    x = net.node("MatMul", x, net.weight(rng.normal(size=(36, 5)), 0.25, 4))
    net.quant(x, 0.7, 4)
    agrees(tmp_path, net, frames=60)


def test_two_paths_from_one_tensor_and_shared_weights(tmp_path):
    rng = np.random.default_rng(20)
    net = Net((1, 12))
    x = net.quant("x", 2**-4, 4, signed=0)
    weight = net.weight(rng.normal(size=(12, 12)), 0.25, 4, "shared.weight")
    a = net.quant(net.node("MatMul", x, weight), 0.5, 5)
    b = net.quant(net.node("MatMul", a, weight), 0.5, 5)
    net.quant(net.node("Sub", a, b), 0.75, 4)
    graph, _ = agrees(tmp_path, net, frames=60)
    names = [n.block.name for n in graph.nodes]
    assert {"shared", "shared_2"} <= set(names) and len(set(names)) == len(names)


@pytest.mark.parametrize("other", [0.25, 0.75])
def test_residual_join_on_a_common_scale(tmp_path, other):
    rng = np.random.default_rng(8)
    net = Net((1, 3, 5, 5))
    x = net.quant("x", 2**-5, 5, signed=0)
    weight = net.weight(rng.normal(size=(3, 3, 3, 3)), 0.25, 4)
    branch = net.node("Conv", x, weight, kernel_shape=[3, 3], pads=[1] * 4)
    branch = net.quant(branch, other, 4)
    straight = net.quant(x, 0.25, 4)
    x = net.node("Add", branch, straight)
    net.quant(net.node("Relu", x), 0.4, 3, signed=0)
    graph, _ = agrees(tmp_path, net)
    (join,) = [n.block for n in graph.nodes if isinstance(n.block, Add)]
    assert join.scales == ((1, 1) if other == 0.25 else (3, 1))


def test_logits_with_scale_and_bias_per_channel(tmp_path):
    rng = np.random.default_rng(12)
    net = Net((1, 20))
    x = net.quant("x", 2**-6, 6, signed=0)
    weight = net.weight(rng.normal(size=(8, 20)), rng.uniform(0.1, 0.3, (8, 1)), 4)
    net.node("Gemm", x, weight, net.const(rng.normal(size=8)), transB=1)
    graph, x = agrees(tmp_path, net, frames=300, classify=False)
    np.testing.assert_allclose(
        values(graph, x), run_qonnx(tmp_path / "net.onnx", x), rtol=0, atol=2e-6
    )
    agrees(tmp_path, net, frames=300)


def test_softmax_and_top_k_become_an_arg_max(tmp_path):
    rng = np.random.default_rng(13)
    net = Net((1, 20))
    x = net.quant("x", 2**-6, 6, signed=0)
    x = net.node("Gemm", x, net.weight(rng.normal(size=(20, 8)), 0.25, 4))
    x = net.node("Softmax", x, axis=1)
    net.node("TopK", x, net.const(np.array([1])), outputs=2, axis=-1)
    graph, x = agrees(tmp_path, net)
    assert graph.output.meaning == "class"
    assert any("Softmax" in note for note in graph.notes)


def test_host_sends_the_first_quantisers_integers_unless_told(tmp_path):
    rng = np.random.default_rng(14)
    net = Net((1, 16))
    x = net.quant(net.node("Sub", "x", net.const(0.5)), 0.25, 4)
    net.node("MatMul", x, net.weight(rng.normal(size=(16, 4)), 0.25, 4))
    path = net.save(tmp_path / "net.onnx")
    graph = import_model(path)
    assert graph.input.qtype == QType(4)
    assert (graph.input.scale, graph.input.offset) == (0.25, 0.5)
    assert any("host sends" in note for note in graph.notes)
    x = rng.normal(size=(50, 16)).astype(np.float32)
    np.testing.assert_array_equal(integers_of(graph, x)[:, 0], run_qonnx(path, x).argmax(1))


def test_accumulator_is_as_wide_as_the_weights_need(tmp_path):
    """Two columns of 7 times 4 bits unsigned: 2*7*15 = 210 needs 8 bits and no sign."""
    net = Net((1, 2))
    x = net.quant("x", 2**-8, 4, signed=0)
    net.node("MatMul", x, net.weight([[7.0, 7.0], [7.0, 7.0]], 1.0, 4))
    graph, _ = agrees(tmp_path, net)
    (mvu,) = [n.block for n in graph.nodes if isinstance(n.block, MatVec)]
    assert mvu.acc == QType(8, signed=False)
