"""Refusals name the node, the reason and what to change in the Brevitas model."""

import numpy as np
import pytest

from codesign.errors import UnsupportedLayer
from codesign.graph.load import import_model
from codesign.types import QType
from tests.graph.nets import Net


def refused(tmp_path, net: Net) -> UnsupportedLayer:
    with pytest.raises(UnsupportedLayer) as found:
        import_model(net.save(tmp_path / "net.onnx"), QType(8), 2.0**-6)
    return found.value


@pytest.mark.parametrize(
    ("op", "advice"),
    [
        ("Elu", "use QuantReLU"),
        ("PRelu", "torch.nn.LeakyReLU"),
        ("InstanceNormalization", "torch.nn.BatchNorm"),
        ("Sqrt", "replace it in the model"),
    ],
)
def test_an_unknown_operator_has_a_substitute(tmp_path, op, advice):
    net = Net((1, 3, 4, 4))
    x = net.quant("x", 0.1, 4)
    more = {"PRelu": 1, "InstanceNormalization": 2}.get(op, 0)
    constants = [net.const(np.ones((3, 1, 1) if op == "PRelu" else 3, np.float32))] * more
    net.quant(net.node(op, x, *constants), 0.1, 4)
    error = refused(tmp_path, net)
    assert error.fields["op"] == op and error.fields["node"].startswith(op)
    assert advice in str(error)


def test_a_layer_without_any_output_element(tmp_path):
    net = Net((1, 2, 1))
    w = net.weight(np.ones((2, 3, 2)), 0.5, 3)
    x = net.node("ConvTranspose", net.quant("x", 0.1, 4), w, kernel_shape=[2], pads=[1, 1])
    net.quant(x, 0.1, 4)
    assert "without any element" in str(refused(tmp_path, net))


def test_sums_of_tensors_of_different_shapes(tmp_path):
    net = Net((1, 3, 4, 4))
    x = net.quant("x", 0.1, 4)
    mean = net.quant(net.node("GlobalAveragePool", x), 0.1, 4)
    net.quant(net.node("Add", x, mean), 0.1, 4)
    text = str(refused(tmp_path, net))
    assert text.startswith("Add_") and "add tensors of one shape" in text


def test_a_product_behind_an_activation_without_quantiser(tmp_path):
    net = Net((1, 6))
    relu = net.node("Relu", net.quant("x", 0.1, 4))
    net.node("MatMul", relu, net.weight(np.ones((6, 2)), 0.5, 3))
    assert "put a quantiser between the two" in str(refused(tmp_path, net))
