"""Rounding, saturation and truncation of every kind, on values that lie on the boundaries."""

import numpy as np
import onnx
import pytest

from codesign.errors import UnsupportedLayer
from codesign.graph.load import import_model
from codesign.types import QType
from tests.graph.compared import BYTE, assert_compared, random_inputs
from tests.graph.nets import QONNX, Net

SIGNED = QType(8)
MODES = [
    "ROUND",
    "HALF_EVEN",
    "FLOOR",
    "CEIL",
    "ROUND_TO_ZERO",
    "DOWN",
    "UP",
    "HALF_UP",
    "HALF_DOWN",
]


def agrees(tmp_path, net, qtype=SIGNED, scale=2.0**-6, version=1):
    """Import and compare with qonnx; no difference is excused."""
    path = net.save(tmp_path / "net.onnx")
    if version != 1:
        _redeclare(path, version)
    x = random_inputs((30, *net.shape[1:]), qtype, scale)
    assert_compared(path, import_model(path, qtype, scale), x)


def _redeclare(path, version):
    """Another version of qonnx's domain."""
    model = onnx.load(path)
    next(o for o in model.opset_import if o.domain == QONNX).version = version
    path.write_bytes(model.SerializeToString())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("factor", [1.0, -1.0])
def test_quantisers_with_zero_points_behind_either_sign(tmp_path, mode, factor):
    net = Net((1, 40))
    x = net.quant("x", 2**-6, 8)
    x = net.node("Mul", x, net.const(np.float32(factor)))
    net.quant(x, 2**-4, 4, zero=3.0, signed=0, mode=mode)
    agrees(tmp_path, net)


@pytest.mark.parametrize("signed, narrow", [(0, 0), (0, 1), (1, 0), (1, 1)])
@pytest.mark.parametrize("bits", [2, 8])
def test_saturation_at_both_ends(tmp_path, signed, narrow, bits):
    net = Net((1, 60))
    x = net.node("Mul", net.quant("x", 2**-6, 8), net.const(np.float32(3.0)))
    net.quant(x, 2**-5, bits, signed=signed, narrow=narrow)
    agrees(tmp_path, net)


def test_an_unknown_mode_is_refused(tmp_path):
    net = Net((1, 6))
    net.quant(net.quant("x", 2**-6, 8), 2**-4, 4, mode="STOCHASTIC")
    with pytest.raises(UnsupportedLayer, match="STOCHASTIC"):
        import_model(net.save(tmp_path / "net.onnx"), SIGNED, 2**-6)


@pytest.mark.parametrize("scale, zero", [(-0.5, 0.0), (0.5, 1.0)])
def test_a_single_signed_bit_with_an_offset_is_refused(tmp_path, scale, zero):
    """qonnx compares x/scale + zero there, and not x itself."""
    net = Net((1, 6))
    weight = net.quant(net.const(np.linspace(-1, 1, 24).reshape(6, 4)), scale, 1, zero=zero)
    net.node("MatMul", net.quant("x", 2**-6, 8), weight)
    with pytest.raises(UnsupportedLayer, match="BipolarQuant"):
        import_model(net.save(tmp_path / "net.onnx"), SIGNED, 2**-6)


def pooled(kernel, signed):
    """mean * area, as Brevitas exports a truncating average pool: exact sums."""
    net = Net((1, 3, 4, 4))
    x = net.node("Sub", "x", net.const(np.float32(0.5))) if signed else "x"
    x = net.quant(x, 0.125, 5, signed=signed)
    x = net.node("AveragePool", x, kernel_shape=[kernel] * 2, strides=[kernel] * 2)
    return net, net.node("Mul", x, net.const(np.float32(kernel * kernel)))


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND", "CEIL", "ROUND_TO_ZERO"])
@pytest.mark.parametrize("signed", [0, 1])
def test_trunc_of_the_first_version(tmp_path, mode, signed):
    net, x = pooled(2, signed)
    parameters = [net.const(np.float32(v)) for v in (0.125, 0.0, 7.0, 5.0)]
    net.node("Trunc", x, *parameters, domain=QONNX, rounding_mode=mode)
    agrees(tmp_path, net, BYTE, 2.0**-8)


@pytest.mark.parametrize("mode", ["FLOOR", "ROUND", "CEIL", "ROUND_TO_ZERO"])
@pytest.mark.parametrize("signed, narrow", [(0, 0), (1, 0), (1, 1), (0, 1)])
@pytest.mark.parametrize("bits, worth", [(3, 0.5), (6, 0.25)])
def test_trunc_of_the_second_version(tmp_path, mode, signed, narrow, bits, worth):
    net, x = pooled(2, signed)
    parameters = [net.const(np.float32(v)) for v in (0.125, 0.0, 7.0, worth, bits)]
    net.node(
        "Trunc", x, *parameters, domain=QONNX, rounding_mode=mode, signed=signed, narrow=narrow
    )
    agrees(tmp_path, net, BYTE, 2.0**-8, version=2)


@pytest.mark.parametrize("signed", [0, 1])
def test_average_pool_of_finn(tmp_path, signed):
    net = Net((1, 3, 6, 6))
    x = net.quant("x", 1.0, 4, signed=signed)
    attrs = {"kernel": 3, "stride": 3, "ibits": 4, "obits": 4, "signed": signed}
    x = net.node("QuantAvgPool2d", x, domain=QONNX, **attrs)
    x = net.node("Flatten", x)
    rng = np.random.default_rng(2)
    net.node("MatMul", x, net.weight(rng.normal(size=(12, 5)), 0.25, 4))
    agrees(tmp_path, net, SIGNED if signed else BYTE, 1.0)


@pytest.mark.parametrize("opset, size", [(11, 6), (13, 7), (19, 7)])
@pytest.mark.parametrize("ceil", [0, 1])
@pytest.mark.parametrize("counted", [0, 1])
@pytest.mark.parametrize("pads", [[0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0]])
def test_average_pool_at_the_border(tmp_path, opset, size, ceil, counted, pads):
    net = Net((1, 2, size, size), opset)
    x = net.quant("x", 0.125, 5, signed=0)
    attrs = {"ceil_mode": ceil, "count_include_pad": counted, "pads": pads}
    x = net.node("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], **attrs)
    net.quant(x, 0.11, 5, signed=0)
    agrees(tmp_path, net, BYTE, 2.0**-8)
