"""Channels-last networks: the file as it is executed by qonnx, against our integers."""

import numpy as np
import pytest
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.util.cleanup import cleanup_model

from codesign.blocks import MaxPool
from codesign.graph.load import import_model
from codesign.graph.reference import run_qonnx
from codesign.types import QType
from tests.graph.compared import BYTE, DYADIC, assert_compared, integers_of, random_inputs
from tests.graph.nets import Net


def picture_net(seed: int, classes: bool) -> Net:
    """Conv, batch norm, function, quantiser, pool and perhaps a dense layer."""
    rng = np.random.default_rng(seed)
    net = Net((1, 3, 7, 6))
    x = net.quant("x", 0.125, 5, signed=0)
    weight = net.weight(rng.normal(size=(4, 3, 3, 3)), 0.25, 4)
    x = net.node(
        "Conv",
        x,
        weight,
        kernel_shape=[3, 3],
        pads=[1] * 4,
        strides=[1] * 2,
        dilations=[1, 1],
        group=1,
    )
    x = net.node("LeakyRelu", net.batch_norm(x, rng, 4), alpha=0.125)
    x = net.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2], pads=[0] * 4)
    x = net.quant(x, 0.25, 4)
    if classes:
        x = net.node("Flatten", x, axis=1)
        net.node("MatMul", x, net.weight(rng.normal(size=(36, 5)), 0.25, 3))
    return net


def to_channels_last(path, keep_input: bool):
    """qonnx's own conversion; with `keep_input` Transposes stay at the ends."""
    model = cleanup_model(ModelWrapper(str(path)))
    model = model.transform(ConvertToChannelsLastAndClean(make_input_channels_last=not keep_input))
    assert any("channels_last" in n.domain for n in model.graph.node)
    model.save(str(path))
    return path


@pytest.mark.parametrize("classes", [False, True])
@pytest.mark.parametrize("keep_input", [False, True])
def test_converted_networks(tmp_path, classes, keep_input):
    path = to_channels_last(picture_net(3, classes).save(tmp_path / "net.onnx"), keep_input)
    graph = import_model(path, BYTE, DYADIC, classify=False)
    assert graph.input.channels_last != keep_input
    assert graph.input.shape == (7, 6, 3)
    x = random_inputs((6, *graph.input.onnx_shape), BYTE, DYADIC)
    ours = integers_of(graph, x) * graph.output.scale
    theirs = run_qonnx(path, x)
    if theirs.shape[1:] == (4, 3, 3):
        theirs = np.moveaxis(theirs, 1, -1)
    np.testing.assert_array_equal(ours, theirs.reshape(len(x), -1))
    (pool,) = [n.block for n in graph.nodes if isinstance(n.block, MaxPool)]
    assert pool.itype == QType(4)
    assert_compared(path, graph, x)


@pytest.mark.slow
def test_a_foreign_channels_last_network(models_dir):
    path = models_dir / "separable_conv_channels_last_w4a4.onnx"
    graph = import_model(path)
    x = np.random.default_rng(0).normal(0, 0.3, (1, *graph.input.onnx_shape)).astype(np.float32)
    assert_compared(path, graph, x)
