"""Files as other tools write them: onnxruntime's quantize_static, Brevitas' QCDQ export."""

import numpy as np
import pytest
import torch
from brevitas import nn as qnn
from brevitas.export import export_onnx_qcdq
from brevitas.quant import Int8BiasPerTensorFloatInternalScaling, Int8WeightPerChannelFloat
from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static

from codesign.errors import UnsupportedLayer
from codesign.graph.load import import_model
from codesign.types import QType
from tests.graph.compared import assert_compared, integers_of
from tests.graph.nets import Net
from tests.graph.test_qcdq import onnxruntime_of

PIXEL = 1 / 255


def float_net(tmp_path, rng):
    """Conv, ReLU, pool, dense: what a user quantises after training."""
    net = Net((1, 1, 8, 8))
    net.domains = ()
    weight, bias = net.const(rng.normal(size=(6, 1, 3, 3)) * 0.3), net.const(rng.normal(size=6))
    x = net.node("Conv", "x", weight, bias, kernel_shape=[3, 3], pads=[1] * 4)
    x = net.node("MaxPool", net.node("Relu", x), kernel_shape=[2, 2], strides=[2, 2])
    x = net.node("Flatten", x)
    matrix, bias = net.const(rng.normal(size=(96, 5)) * 0.2), net.const(rng.normal(size=5))
    net.node("Gemm", x, matrix, bias)
    return net.save(tmp_path / "float.onnx")


class Frames:
    """Calibration data as onnxruntime wants to read them."""

    def __init__(self, x):
        self.left = [{"x": f[None]} for f in x]

    def get_next(self):
        return self.left.pop() if self.left else None


def pixels(frames=60):
    q = np.random.default_rng(1).integers(0, 256, (frames, 1, 8, 8))
    return (q * np.float32(PIXEL)).astype(np.float32)


def same_classes(path, graph, x):
    """Integers as the check sees them; classes as onnxruntime does, but for close calls."""
    assert_compared(path, graph, x, exact=False)
    classes = integers_of(graph, x)[:, 0]
    assert (classes == onnxruntime_of(path, x).argmax(axis=1)).mean() >= 0.95


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("symmetric", [False, True])
def test_quantize_static(tmp_path, per_channel, symmetric):
    x, path = pixels(), tmp_path / "int8.onnx"
    quantize_static(
        float_net(tmp_path, np.random.default_rng(0)),
        path,
        Frames(x),
        quant_format=QuantFormat.QDQ,
        per_channel=per_channel,
        activation_type=QuantType.QInt8 if symmetric else QuantType.QUInt8,
        extra_options={"ActivationSymmetric": symmetric},
        reduce_range=True,
    )
    same_classes(path, import_model(path, QType(8, False), PIXEL), x)


def test_operators_of_onnxruntime_are_refused(tmp_path):
    path = tmp_path / "int8.onnx"
    source = float_net(tmp_path, np.random.default_rng(0))
    quantize_static(source, path, Frames(pixels()), quant_format=QuantFormat.QOperator)
    with pytest.raises(UnsupportedLayer, match="QuantFormat.QDQ"):
        import_model(path, QType(8, False), PIXEL)


def test_quantize_dynamic_is_refused(tmp_path):
    path = tmp_path / "dynamic.onnx"
    quantize_dynamic(float_net(tmp_path, np.random.default_rng(0)), path)
    with pytest.raises(UnsupportedLayer, match="quantise statically"):
        import_model(path, QType(8, False), PIXEL)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("bits", [4, 8])
def test_brevitas_qcdq(tmp_path, bits):
    torch.manual_seed(0)
    kind = {"weight_quant": Int8WeightPerChannelFloat, "weight_bit_width": bits}
    model = torch.nn.Sequential(
        qnn.QuantIdentity(bit_width=8),
        qnn.QuantConv2d(
            1, 6, 3, bias=True, bias_quant=Int8BiasPerTensorFloatInternalScaling, **kind
        ),
        qnn.QuantReLU(bit_width=bits),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        qnn.QuantLinear(54, 5, bias=True, **kind),
    )
    x = pixels()
    model(torch.tensor(x))
    model.eval()
    path = tmp_path / "qcdq.onnx"
    export_onnx_qcdq(model, torch.tensor(x[:1]), str(path), dynamo=False, opset_version=13)
    graph = import_model(path)
    same_classes(path, graph, x)
    names = {type(n.block).__name__: n.block for n in graph.nodes}
    assert names["MatVec"].wtype.bits <= bits
