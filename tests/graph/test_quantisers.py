"""Quantisers of every kind inside small networks: integers against qonnx's execution of the file."""

import numpy as np
import pytest

from codesign.blocks import Pad, Requantise, SumPool, Threshold
from codesign.types import BIPOLAR, QType
from tests.graph.compared import agrees, kinds
from tests.graph.nets import QONNX, Net


@pytest.mark.parametrize("op", ["AveragePool", "GlobalAveragePool", "ReduceMean"])
def test_average_pool_is_a_sum_whose_division_moves_on(tmp_path, op):
    rng = np.random.default_rng(6)
    net = Net((1, 3, 4, 4))
    x = net.quant("x", 0.125, 5, signed=0)
    attrs = {
        "AveragePool": {"kernel_shape": [2, 2], "strides": [2, 2]},
        "GlobalAveragePool": {},
        "ReduceMean": {"axes": [2, 3], "keepdims": 1},
    }[op]
    x = net.quant(net.node(op, x, **attrs), 0.11, 4, signed=0)
    x = net.node("Flatten", x)
    elements = 12 if op == "AveragePool" else 3
    net.node("MatMul", x, net.weight(rng.normal(size=(elements, 4)), 0.25, 4))
    graph, _ = agrees(tmp_path, net)
    assert SumPool in kinds(graph)


def test_constants_per_element_give_thresholds_per_element(tmp_path):
    rng = np.random.default_rng(19)
    net = Net((1, 2, 3, 3))
    x = net.node("Flatten", net.quant("x", 2**-4, 4, signed=0))
    x = net.node("Mul", x, net.const(rng.normal(size=(1, 18))))
    x = net.quant(net.node("Sub", x, net.const(rng.normal(size=18))), 0.3, 3)
    net.node("MatMul", x, net.weight(rng.normal(size=(18, 4)), 0.25, 4))
    graph, _ = agrees(tmp_path, net, frames=60)
    (layer,) = [n.block for n in graph.nodes if isinstance(n.block, Threshold) and n.block.sign]
    assert (layer.channels, layer.vectors) == (18, 1)


def test_levels_out_of_reach_cost_nothing(tmp_path):
    """Only the levels within reach count: a 24-bit quantiser of 8-bit integers is no burden."""
    rng = np.random.default_rng(18)
    net = Net((1, 6))
    x = net.quant(net.quant("x", 2**-6, 8), 2**-8 * 1.1, 24)
    net.node("MatMul", x, net.weight(rng.normal(size=(6, 4)), 0.25, 4))
    agrees(tmp_path, net, QType(8), 2**-6)


def test_zero_points_of_activation_and_weight(tmp_path):
    rng = np.random.default_rng(9)
    net = Net((1, 3, 5, 5))
    x = net.quant("x", 2**-4, 4, zero=5.0, signed=0)
    raw = net.const(rng.normal(size=(4, 3, 2, 2)))
    weight = net.quant(raw, 0.25, 4, zero=3.0, signed=0)
    x = net.node("Conv", x, weight, kernel_shape=[2, 2], pads=[1] * 4)
    net.quant(x, 0.3, 4, zero=-2.0)
    graph, _ = agrees(tmp_path, net)
    (pad,) = [n.block for n in graph.nodes if isinstance(n.block, Pad)]
    assert pad.value == 5


def test_zero_beside_bipolar_pixels(tmp_path):
    """-1 and +1 padded with 0 travel as two bits; the pooled average counts them alike."""
    rng = np.random.default_rng(30)
    net = Net((1, 2, 5, 5))
    x = net.node("Sub", "x", net.const(0.5))
    x = net.node("BipolarQuant", x, net.const(0.5), domain=QONNX)
    weight = net.weight(rng.normal(size=(4, 2, 3, 3)), 0.25, 3)
    x = net.node("Conv", x, weight, kernel_shape=[3, 3], pads=[1] * 4)
    x = net.node("BipolarQuant", x, net.const(1.0), domain=QONNX)
    attrs = {"kernel_shape": [2, 2], "pads": [1, 1, 0, 0], "count_include_pad": 1}
    net.quant(net.node("AveragePool", x, **attrs), 0.25, 4)
    graph, _ = agrees(tmp_path, net, frames=60)
    assert {p.value for p in (n.block for n in graph.nodes) if isinstance(p, Pad)} == {0}


@pytest.mark.parametrize("mode", ["ROUND", "FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN"])
def test_rounding_modes_with_ties(tmp_path, mode):
    """Dyadic scales: many values lie exactly on a boundary, and float32 is exact too."""
    net = Net((1, 6))
    x = net.quant("x", 2**-6, 8)
    x = net.node("Mul", x, net.const(np.array([[1, -1, 0.5, -0.5, 0.25, 0.75]])))
    net.quant(x, 2**-4, 5, mode=mode, narrow=1)
    agrees(tmp_path, net, QType(8), 2**-6, frames=256)


def test_eight_bit_output_becomes_a_requantise(tmp_path):
    rng = np.random.default_rng(10)
    net = Net((1, 30))
    x = net.quant("x", 2**-8, 8, signed=0)
    x = net.node("MatMul", x, net.weight(rng.normal(size=(30, 16)), 0.013, 8))
    x = net.quant(net.node("Relu", net.batch_norm(x, rng, 16)), 0.017, 8, signed=0)
    net.node("MatMul", x, net.weight(rng.normal(size=(16, 10)), 0.02, 8))
    graph, _ = agrees(tmp_path, net, frames=200)
    assert Requantise in kinds(graph) and Threshold not in kinds(graph)


def test_bipolar_layers_and_multi_threshold(tmp_path):
    rng = np.random.default_rng(11)
    net = Net((1, 12))
    x = net.node("Sub", net.node("Mul", "x", net.const(2.0)), net.const(1.0))
    x = net.node("BipolarQuant", x, net.const(0.5), domain=QONNX)
    weight = net.node(
        "BipolarQuant", net.const(rng.normal(size=(12, 9))), net.const(0.3), domain=QONNX
    )
    x = net.node("MatMul", x, weight)
    table = net.const(np.sort(rng.normal(size=(9, 3)), axis=1))
    x = net.node(
        "MultiThreshold", x, table, domain=QONNX, out_dtype="INT2", out_scale=0.5, out_bias=-1.0
    )
    net.node("MatMul", x, net.weight(rng.normal(size=(9, 4)), 0.25, 2))
    graph, _ = agrees(tmp_path, net)
    assert graph.nodes[1].block.itype == graph.nodes[1].block.wtype == BIPOLAR


def test_a_quantiser_on_the_grid_of_its_input_costs_nothing(tmp_path):
    rng = np.random.default_rng(15)
    net = Net((1, 16))
    x = net.quant("x", np.float32(1 / 255), 8, signed=0)
    x = net.quant(
        net.node("Relu", net.quant(x, np.float32(1 / 255), 9)), np.float32(1 / 255), 8, signed=0
    )
    net.node("MatMul", x, net.weight(rng.normal(size=(16, 4)), 0.25, 4))
    graph, _ = agrees(tmp_path, net, scale=1 / 255)
    assert [k.__name__ for k in kinds(graph)] == ["MatVec", "ArgMax"]
