"""ONNX's own quantisers against onnxruntime, which executes the file as it is."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from codesign.blocks import MatVec
from codesign.errors import UnsupportedLayer
from codesign.graph.execute import execute, to_stream
from codesign.graph.load import import_model
from codesign.graph.pass_trace import first_change, trace_passes
from codesign.types import QType
from tests.graph import compared
from tests.graph.compared import BYTE, DYADIC, assert_compared, integers_of
from tests.graph.nets import Net


class QdqNet(Net):
    """A net of standard operators, and their quantisers."""

    def __init__(self, shape, opset=13):
        super().__init__(shape, opset)
        self.domains = ()

    def qdq(self, x, scale, zero, kind=np.uint8, clip=None, **attrs):
        """QuantizeLinear, Clip where asked, DequantizeLinear."""
        s, z = self.const(np.asarray(scale, np.float32)), self.const(np.asarray(zero, kind))
        x = self.node("QuantizeLinear", x, s, z, **attrs)
        if clip is not None:
            x = self.node("Clip", x, *(self.const(np.asarray(c, kind)) for c in clip))
        return self.node("DequantizeLinear", x, s, z, **attrs)

    def stored(self, values, scale, zero=None, name="", **attrs):
        """Integers of the file through DequantizeLinear."""
        parameters = [
            self.const(np.asarray(values), name),
            self.const(np.asarray(scale, np.float32)),
        ]
        if zero is not None:
            parameters.append(self.const(np.asarray(zero, np.asarray(values).dtype)))
        return self.node("DequantizeLinear", *parameters, **attrs)


def onnxruntime_of(path, x):
    """The file by onnxruntime, frame by frame, without its own rewriting of QDQ pairs."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options)
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: f[None]})[0] for f in x])


def agrees(tmp_path, net, frames=40):
    """Integers as qonnx sees them, real outputs as onnxruntime does."""
    graph, x = compared.agrees(tmp_path, net, frames=frames, classify=False)
    view = next(v for v in reversed(graph.views) if v.onnx_tensor == net.last)
    outputs = onnxruntime_of(tmp_path / "net.onnx", x)
    np.testing.assert_array_equal(view.real(integers_of(graph, x)), outputs)
    return graph


def convolution(rng, opset, axis=0):
    """Conv with scales per channel and an int32 bias, as onnxruntime's quantize_static writes it."""
    net = QdqNet((1, 3, 6, 6), opset)
    x = net.qdq("x", 2**-6, 7)
    scales = 2.0 ** -rng.integers(3, 6, 4)
    weight = net.stored(
        rng.integers(-127, 128, (4, 3, 3, 3)).astype(np.int8), scales, np.zeros(4), axis=axis
    )
    bias = net.stored(
        rng.integers(-2000, 2000, 4).astype(np.int32), scales * 2**-6, np.zeros(4), axis=0
    )
    x = net.node("Conv", x, weight, bias, kernel_shape=[3, 3], pads=[1] * 4)
    return net, net.node("Relu", x)


@pytest.mark.parametrize("opset", [13, 17, 19, 21])
def test_convolution_with_scales_per_channel_and_an_integer_bias(tmp_path, opset):
    net, x = convolution(np.random.default_rng(0), opset)
    net.qdq(x, 0.25, 0)
    graph = agrees(tmp_path, net)
    (layer,) = [n.block for n in graph.nodes if isinstance(n.block, MatVec)]
    assert layer.wtype == QType(8)


def test_per_tensor_form_of_opset_10(tmp_path):
    rng = np.random.default_rng(1)
    net = QdqNet((1, 12), 10)
    x = net.qdq("x", 2**-5, 3)
    weight = net.stored(rng.integers(-128, 128, (12, 5)).astype(np.int8), 0.125, 3)
    net.qdq(net.node("MatMul", x, weight), 1.5, 100)
    agrees(tmp_path, net)


@pytest.mark.parametrize("zero", [0, 1, -1, 4, 127])
def test_ties_count_from_the_zero_point(tmp_path, zero):
    """2.5 + 1 rounds to 3, since onnxruntime rounds before it adds the zero point."""
    net = QdqNet((1, 8))
    x = net.qdq("x", DYADIC, 0)
    net.qdq(x, 2 * DYADIC, zero, np.int8)
    agrees(tmp_path, net, frames=200)


@pytest.mark.parametrize(
    "kind, bounds, itype",
    [
        (np.int8, (-7, 7), QType(4, narrow=True)),
        (np.int8, (-8, 7), QType(4)),
        (np.uint8, (0, 15), QType(4, False)),
        (np.int8, (-5, 11), QType(5)),
    ],
)
def test_clip_between_the_pair_makes_narrow_types(tmp_path, kind, bounds, itype):
    rng = np.random.default_rng(2)
    net = QdqNet((1, 10))
    x = net.node("Sub", "x", net.const(0.4))
    x = net.qdq(x, 2**-4, 0, kind, bounds)
    weight = net.qdq(net.const(rng.normal(size=(10, 4))), 0.25, 0, np.int8, (-4, 3))
    net.qdq(net.node("MatMul", x, weight), 0.5, 0, np.int8)
    graph = agrees(tmp_path, net)
    layer = next(n.block for n in graph.nodes if isinstance(n.block, MatVec))
    assert (layer.itype, layer.wtype.bits) == (itype, 3)


def test_activations_with_a_scale_per_channel(tmp_path):
    rng = np.random.default_rng(3)
    net = QdqNet((1, 4, 5, 5))
    x = net.qdq("x", 2.0 ** -np.arange(4, 8), [3] * 4, axis=1)
    weight = net.stored(
        rng.integers(-8, 8, (4, 1, 3, 3)).astype(np.int8), [0.5, 0.25, 1, 2], axis=0
    )
    x = net.node("Conv", x, weight, kernel_shape=[3, 3], group=4)
    net.qdq(x, 0.25, 128)
    agrees(tmp_path, net)


def test_four_bit_integers_of_opset_21(tmp_path):
    rng = np.random.default_rng(4)
    net = QdqNet((1, 8), 21)
    x = net.qdq("x", 2**-4, 0)
    values = rng.integers(-8, 8, 32)
    packed = helper.make_tensor("weight4", TensorProto.INT4, (8, 4), values)
    net.inits.append(packed)
    weight = net.node("DequantizeLinear", "weight4", net.const(np.float32(0.25)))
    net.qdq(net.node("MatMul", x, weight), 0.5, 0, np.int8)
    graph = agrees(tmp_path, net)
    (layer,) = [n.block for n in graph.nodes if isinstance(n.block, MatVec)]
    assert layer.wtype == QType(4)


def test_one_quantiser_read_by_several_dequantisers(tmp_path):
    rng = np.random.default_rng(5)
    net = QdqNet((1, 6))
    s, z = net.const(np.float32(2**-6)), net.const(np.uint8(0))
    q = net.node("QuantizeLinear", "x", s, z)
    a, b = (net.node("DequantizeLinear", q, s, z) for _ in range(2))
    weight = net.stored(rng.integers(-8, 8, (6, 6)).astype(np.int8), 0.25)
    a = net.qdq(net.node("MatMul", a, weight), 2**-6, 128)
    net.qdq(net.node("Add", a, b), 2**-5, 128)
    agrees(tmp_path, net)


def test_integer_operators_between_the_quantisers(tmp_path):
    """QuantFormat.QOperator: QLinearConv, a pool of integers, QLinearMatMul.

    Weights have 7 bits: on CPUs without VNNI onnxruntime adds pairs of products in 16 bits.
    """
    rng = np.random.default_rng(6)
    net = QdqNet((1, 3, 6, 6))
    scale, zero = (lambda v: net.const(np.float32(v))), (lambda v: net.const(v))
    xs, xz = scale(2**-6), zero(np.uint8(3))
    x = net.node("QuantizeLinear", "x", xs, xz)
    weight = net.const(rng.integers(-64, 64, (4, 3, 3, 3)).astype(np.int8))
    ws, wz = net.const(np.float32([0.25, 0.5, 0.125, 1])), net.const(np.zeros(4, np.int8))
    bias = net.const(rng.integers(-500, 500, 4).astype(np.int32))
    ys, yz = scale(0.5), zero(np.uint8(1))
    x = net.node("QLinearConv", x, xs, xz, weight, ws, wz, ys, yz, bias, kernel_shape=[3, 3])
    x = net.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = net.node("Flatten", x)
    matrix = net.const(rng.integers(-64, 64, (16, 5)).astype(np.int8))
    zs, zz = scale(4.0), zero(np.uint8(120))
    x = net.node("QLinearMatMul", x, ys, yz, matrix, scale(0.5), zero(np.int8(0)), zs, zz)
    net.node("DequantizeLinear", x, zs, zz)
    agrees(tmp_path, net)


@pytest.mark.parametrize("kind", [np.uint8, np.int8])
def test_integers_from_end_to_end(tmp_path, kind):
    """Input and output of the file are integers, as converters from TFLite write them."""
    rng = np.random.default_rng(9)
    net = QdqNet((1, 3, 6, 6))
    x = net.node("DequantizeLinear", "x", net.const(np.float32(2**-6)), net.const(kind(5)))
    weight = net.stored(rng.integers(-64, 64, (4, 3, 3, 3)).astype(np.int8), [1, 2, 1, 0.5], axis=0)
    x = net.node("Conv", x, weight, kernel_shape=[3, 3])
    net.node("QuantizeLinear", x, net.const(np.float32(2)), net.const(kind(100)))
    path = net.save(tmp_path / "net.onnx")
    model = onnx.load(path)
    for end in (model.graph.input[0], model.graph.output[0]):
        end.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    path.write_bytes(model.SerializeToString())
    graph = import_model(path)
    assert graph.input.qtype == QType(8, kind == np.int8)
    low = graph.input.qtype.min
    x = rng.integers(low, low + 256, (20, 3, 6, 6)).astype(kind)
    assert_compared(path, graph, x)
    view = next(v for v in reversed(graph.views) if v.onnx_tensor == net.last)
    outputs = view.real(execute(graph, to_stream(graph.input, x)))
    np.testing.assert_array_equal(outputs, onnxruntime_of(path, x))


def test_no_pass_changes_a_result(tmp_path):
    """The fused quantiser computes in float32 what the three nodes do."""
    net, x = convolution(np.random.default_rng(7), 13)
    x = net.qdq(x, 0.3, 5, np.uint8, (3, 200))
    net.qdq(net.node("Flatten", x), 0.7, 9)
    path = net.save(tmp_path / "net.onnx")
    x = np.random.default_rng(8).uniform(size=(6, 3, 6, 6)).astype(np.float32)
    assert first_change(trace_passes(path, x)) is None


REFUSALS = {
    "blocked": "block_size",
    "dynamic": "computed anew from every input",
    "mismatch": "same parameters",
    "escape": "QDQ format",
    "float8": "FLOAT8",
}


@pytest.mark.parametrize("case", sorted(REFUSALS))
def test_refused_with_its_reason(tmp_path, case):
    net = QdqNet((1, 8), 21)
    s, z = net.const(np.float32(0.25)), net.const(np.uint8(0))
    if case == "blocked":
        weight = net.const(np.ones((8, 4), np.int8))
        w = net.node("DequantizeLinear", weight, net.const(np.ones((4, 4))), axis=0, block_size=2)
        net.node("MatMul", net.qdq("x", 0.25, 0), w)
    elif case == "dynamic":
        net.node("DynamicQuantizeLinear", "x", outputs=3)
        net.node("DequantizeLinear", *net.nodes[-1].output)
    elif case == "mismatch":
        q = net.node("QuantizeLinear", "x", s, z)
        net.node("DequantizeLinear", q, net.const(np.float32(0.5)), z)
    elif case == "escape":
        q = net.node("QuantizeLinear", "x", s, z)
        net.node("Relu", net.node("Cast", q, to=TensorProto.FLOAT))
    else:
        net.inits.append(helper.make_tensor("z8", TensorProto.FLOAT8E4M3FN, (), [0.0]))
        net.node("DequantizeLinear", net.node("QuantizeLinear", "x", s, "z8"), s, "z8")
    path = net.save(tmp_path / "net.onnx")
    with pytest.raises(UnsupportedLayer, match=REFUSALS[case]):
        import_model(path, BYTE, DYADIC)
