"""Small networks of the kinds that users train with Brevitas, and FINN's own kind, against qonnx."""

import numpy as np
import pytest
import torch
from brevitas import nn as qnn
from brevitas.export import export_qonnx
from brevitas.quant import Int8WeightPerChannelFloat as PerChannel
from brevitas.quant import Int8WeightPerTensorFixedPoint as Dyadic
from brevitas.quant import SignedBinaryActPerTensorConst as Sign
from brevitas.quant import SignedBinaryWeightPerTensorConst as Binary
from brevitas.quant import Uint8ActPerTensorFixedPoint as Act
from qonnx.core.datatype import DataType

from codesign.blocks import MatVec, Requantise, Threshold
from codesign.graph.load import import_model
from codesign.graph.read import read_onnx
from codesign.types import BIPOLAR, QType
from tests.graph.compared import assert_compared
from tests.graph.nets import QONNX, Net

pytestmark = pytest.mark.filterwarnings("ignore")
SIZE = 8


def settled(model, seed):
    """Statistics collected, batch norms of both signs, in inference mode."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for _ in range(4):
            model(torch.rand(16, 2, SIZE, SIZE))
        for layer in model.modules():
            if isinstance(layer, (torch.nn.BatchNorm2d, torch.nn.BatchNorm1d)):
                layer.weight.copy_(torch.randn(layer.num_features))
                layer.bias.copy_(torch.randn(layer.num_features) * 0.3)
    return model.eval()


def agrees(tmp_path, model, frames=40):
    """Export, import, compare; returns the blocks of the graph."""
    path = tmp_path / "net.onnx"
    x = np.random.default_rng(4).uniform(size=(frames, 2, SIZE, SIZE)).astype(np.float32)
    export_qonnx(model, torch.tensor(x[:1]), str(path), dynamo=False, opset_version=13)
    graph = import_model(path)
    assert_compared(path, graph, x, exact=False)
    return [n.block for n in graph.nodes]


def of_kind(blocks, kind):
    return [b for b in blocks if isinstance(b, kind)]


def convolution(inputs, outputs, weight, bits, **options):
    kind = {"weight_quant": weight, "weight_bit_width": bits, "bias": False}
    return qnn.QuantConv2d(inputs, outputs, 3, **kind, **options)


def test_binary_weights_and_two_bit_activations(tmp_path):
    model = torch.nn.Sequential(
        qnn.QuantIdentity(bit_width=8),
        convolution(2, 6, Binary, 1),
        torch.nn.BatchNorm2d(6),
        qnn.QuantReLU(bit_width=2),
        convolution(6, 6, Binary, 1, padding=1),
        torch.nn.BatchNorm2d(6),
        torch.nn.MaxPool2d(2),
        qnn.QuantReLU(bit_width=2),
        torch.nn.Flatten(),
        qnn.QuantLinear(54, 4, bias=True, weight_quant=Binary),
    )
    blocks = agrees(tmp_path, settled(model, 0))
    assert {b.wtype for b in of_kind(blocks, MatVec)} == {BIPOLAR}
    assert {b.otype for b in of_kind(blocks, Threshold)} <= {QType(2, False)}


def test_batch_norm_behind_bipolar_layers(tmp_path):
    """A negative batch norm turns the comparison of a sign around."""
    model = torch.nn.Sequential(
        qnn.QuantIdentity(bit_width=8),
        convolution(2, 6, Binary, 1),
        torch.nn.BatchNorm2d(6),
        qnn.QuantIdentity(act_quant=Sign),
        convolution(6, 8, Binary, 1),
        torch.nn.BatchNorm2d(8),
        qnn.QuantIdentity(act_quant=Sign),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        qnn.QuantLinear(32, 5, bias=False, weight_quant=Binary),
        torch.nn.BatchNorm1d(5),
    )
    blocks = agrees(tmp_path, settled(model, 1))
    signs = [b.sign for b in of_kind(blocks, Threshold)]
    assert len(signs) >= 2 and all(s is not None for s in signs)
    assert of_kind(blocks, MatVec)[1].itype == of_kind(blocks, MatVec)[1].wtype == BIPOLAR


@pytest.mark.parametrize("bits", [3, 5])
def test_scales_per_channel_depthwise_and_a_truncating_pool(tmp_path, bits):
    model = torch.nn.Sequential(
        qnn.QuantIdentity(bit_width=8),
        convolution(2, 6, PerChannel, bits, padding=1),
        torch.nn.BatchNorm2d(6),
        qnn.QuantReLU(bit_width=bits),
        convolution(6, 6, PerChannel, bits, groups=6),
        torch.nn.BatchNorm2d(6),
        qnn.QuantReLU(bit_width=bits, return_quant_tensor=True),
        qnn.TruncAvgPool2d(2, bit_width=bits),
        torch.nn.Flatten(),
        qnn.QuantLinear(54, 4, bias=True, weight_quant=PerChannel, weight_bit_width=bits),
    )
    blocks = agrees(tmp_path, settled(model, 2))
    assert all(b.wtype.bits <= bits for b in of_kind(blocks, MatVec))


def test_eight_bits_with_powers_of_two_need_no_table(tmp_path):
    model = torch.nn.Sequential(
        qnn.QuantIdentity(bit_width=8, act_quant=Act),
        convolution(2, 6, Dyadic, 8, padding=1),
        qnn.QuantReLU(bit_width=8, act_quant=Act),
        convolution(6, 6, Dyadic, 8),
        qnn.QuantReLU(bit_width=8, act_quant=Act),
        torch.nn.Flatten(),
        qnn.QuantLinear(216, 4, bias=True, weight_quant=Dyadic, weight_bit_width=8),
    )
    blocks = agrees(tmp_path, settled(model, 3))
    assert not of_kind(blocks, Threshold)
    rounding = [b for b in of_kind(blocks, Requantise) if b.otype == QType(8, False)]
    assert len(rounding) == 2 and all(b.ties_even for b in rounding)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_multi_thresholds_with_integer_annotations(tmp_path, layout):
    """FINN behind streamlining: integers in, integer weights, levels with scale and bias."""
    rng = np.random.default_rng(5)
    last = layout == "NHWC"
    net = Net((1, 5, 5, 3) if last else (1, 3, 5, 5))
    weight = rng.integers(-2, 2, (6, 3, 2, 2))
    x = net.node("Transpose", "x", perm=[0, 3, 1, 2]) if last else "x"
    x = net.node(
        "Conv", x, net.const(weight.astype(np.float32), "conv.weight"), kernel_shape=[2, 2]
    )
    x = net.node("Transpose", x, perm=[0, 2, 3, 1]) if last else x
    table = np.sort(rng.integers(-20, 20, (6, 7)), axis=1).astype(np.float32)
    levels = {"out_dtype": "INT4", "out_bias": -4.0, "data_layout": layout}
    x = net.node("MultiThreshold", x, net.const(table), domain=QONNX, out_scale=1.0, **levels)
    shared = net.const(np.arange(-3, 4)[None].astype(np.float32))
    scaled = {"out_dtype": "UINT3", "out_bias": 0.25, "out_scale": 0.5, "data_layout": layout}
    x = net.node("MultiThreshold", x, shared, domain=QONNX, **scaled)
    matrix = net.const(rng.integers(-4, 4, (96, 5)).astype(np.float32), "fc.weight")
    net.node("MatMul", net.node("Flatten", x), matrix)
    path = net.save(tmp_path / "net.onnx")
    model = read_onnx(path)
    for name, kind in (("x", "UINT4"), ("conv.weight", "INT2"), ("fc.weight", "INT3")):
        model.set_tensor_datatype(name, DataType[kind])
    model.save(str(path))
    graph = import_model(path)
    assert graph.input.qtype == QType(4, False)
    x = rng.integers(0, 16, (40, *net.shape[1:])).astype(np.float32)
    assert_compared(path, graph, x)
    blocks = [n.block for n in graph.nodes]
    assert [b.wtype for b in of_kind(blocks, MatVec)] == [QType(2), QType(3)]
