"""Operators that join, move, repeat and spread elements: integers against qonnx's execution."""

import math
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import pytest

from codesign.blocks import Concat, Reorder, Slice, ZeroInsert
from codesign.board import load_board
from codesign.graph.arrange import course_of
from codesign.graph.chain import ALWAYS, NEVER, Bound
from codesign.graph.smooth import SIGMOID, TANH
from codesign.lowering import assemble
from codesign.search.plan import plan
from codesign.sim.simulate import simulate
from tests.graph.compared import agrees, kinds
from tests.graph.nets import Net

RNG = np.random.default_rng(3)
DENSE = MappingProxyType({"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]})


def start(*shape: int, bits: int = 4) -> tuple[Net, str]:
    net = Net((1, *shape))
    return net, net.quant("x", 0.125, bits, signed=0)


def conv(net: Net, x: str, rows: int, cols: int, group: int = 1, **attrs) -> str:
    weight = net.weight(RNG.normal(size=(rows, cols // group, 3, 3)), 0.25, 4)
    return net.node("Conv", x, weight, group=group, **{**DENSE, **attrs})


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_concat_keeps_the_scale_of_each_input(tmp_path, axis):
    net, x = start(3, 4, 5)
    a = net.quant(conv(net, x, 3, 3), 0.31, 4)
    b = net.quant(conv(net, x, 3, 3), 0.21 if axis == 1 else 0.31, 3, signed=0)
    net.quant(net.node("Concat", a, b, axis=axis), 0.37, 4)
    graph, _ = agrees(tmp_path, net)
    assert Concat in kinds(graph)


def test_concat_of_three_vectors_into_a_product(tmp_path):
    net, x = start(6)
    parts = [
        net.quant(net.node("MatMul", x, net.weight(RNG.normal(size=(6, n)), 0.25, 4)), 0.5, 4)
        for n in (2, 3, 4)
    ]
    x = net.node("Concat", *parts, axis=1)
    net.node("MatMul", x, net.weight(RNG.normal(size=(9, 5)), 0.25, 4))
    agrees(tmp_path, net)


@pytest.mark.parametrize(
    "attrs",
    [
        {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"},
        {"coordinate_transformation_mode": "half_pixel"},
    ],
)
@pytest.mark.parametrize("factors", [(2, 2), (1, 3), (4, 1)])
def test_nearest_upsampling(tmp_path, attrs, factors):
    net, x = start(3, 4, 5)
    scales = net.const(np.array([1, 1, *factors], np.float32))
    x = net.node("Resize", x, "", scales, mode="nearest", **attrs)
    net.quant(conv(net, x, 2, 3), 0.37, 4)
    graph, _ = agrees(tmp_path, net)
    assert Reorder in kinds(graph)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_depth_to_space_of_sums(tmp_path, mode):
    net, x = start(3, 4, 5)
    x = net.node("DepthToSpace", conv(net, x, 12, 3), blocksize=2, mode=mode)
    x = net.quant(net.node("Relu", x), 0.31, 4, signed=0)
    net.quant(conv(net, x, 2, 3), 0.37, 4)
    agrees(tmp_path, net)


def test_pixel_shuffle_spelled_with_reshapes(tmp_path):
    net, x = start(8, 4, 3)
    x = net.node("Reshape", x, net.const(np.array([1, 2, 2, 2, 4, 3])))
    x = net.node("Transpose", x, perm=[0, 1, 4, 2, 5, 3])
    x = net.node("Reshape", x, net.const(np.array([1, 2, 8, 6])))
    net.quant(conv(net, x, 3, 2), 0.37, 4)
    graph, _ = agrees(tmp_path, net)
    assert Reorder in kinds(graph)


def test_space_to_depth(tmp_path):
    net, x = start(3, 4, 6)
    x = net.node("SpaceToDepth", x, blocksize=2)
    net.quant(conv(net, x, 2, 12), 0.37, 4)
    agrees(tmp_path, net)


@pytest.mark.parametrize("group, shape", [(1, (3, 4)), (3, (3, 1)), (2, (4, 3))])
@pytest.mark.parametrize("stride, pads, extra", [(2, 1, 1), (3, 0, 0), (1, 2, 0)])
def test_transposed_convolution(tmp_path, group, shape, stride, pads, extra):
    net, x = start(shape[0], 4, 3)
    weight = net.weight(RNG.normal(size=(*shape, 3, 4)), 0.25, 4)
    x = net.node(
        "ConvTranspose",
        x,
        weight,
        net.const(RNG.normal(size=shape[1] * group)),
        group=group,
        kernel_shape=[3, 4],
        strides=[stride, stride],
        pads=[pads] * 4,
        output_padding=[extra, extra],
    )
    net.quant(x, 0.37, 4)
    graph, _ = agrees(tmp_path, net)
    assert (ZeroInsert in kinds(graph)) == (stride > 1)


def test_one_dimensional_transposed_convolution(tmp_path):
    net, x = start(3, 7)
    weight = net.weight(RNG.normal(size=(3, 2, 4)), 0.25, 4)
    x = net.node("ConvTranspose", x, weight, kernel_shape=[4], strides=[2], pads=[1, 1])
    net.quant(x, 0.37, 4)
    agrees(tmp_path, net)


@pytest.mark.parametrize("group", [2, 3, 6])
def test_grouped_convolution_is_dense_with_zeros(tmp_path, group):
    net, x = start(6, 4, 4)
    net.quant(conv(net, x, 12, 6, group), 0.37, 4)
    graph, _ = agrees(tmp_path, net)
    assert any("groups" in note for note in graph.notes)


@pytest.mark.parametrize("value", [0.0, 0.5, -0.25])
def test_pad_by_a_value_of_the_grid(tmp_path, value):
    net, x = start(3, 4, 4)
    pads = net.const(np.array([0, 0, 1, 2, 0, 0, 0, 1]))
    x = net.node("Pad", x, pads, net.const(np.float32(value)))
    net.quant(conv(net, x, 2, 3), 0.37, 4)
    agrees(tmp_path, net)


def test_shortcut_with_steps_and_zero_channels(tmp_path):
    """The parameter-free shortcut of the CIFAR ResNets: every other pixel, more channels."""
    net, x = start(4, 6, 6)
    branch = net.quant(conv(net, x, 8, 4, strides=[2, 2]), 0.125, 4)
    ends = [net.const(np.array(v)) for v in ([0, 0], [9, 9], [2, 3], [2, 2])]
    short = net.node("Slice", x, *ends)
    short = net.node("Pad", short, net.const(np.array([0, 2, 0, 0, 0, 2, 0, 0])))
    net.quant(net.node("Add", branch, short), 0.31, 4)
    agrees(tmp_path, net)


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_split_and_slice(tmp_path, axis):
    net, x = start(4, 6, 8)
    x = net.quant(conv(net, x, 4, 4), RNG.uniform(0.2, 0.37, (1, 4, 1, 1)), 4)
    left = net.node("Split", x, axis=axis, outputs=2)
    right = net.nodes[-1].output[0]
    ends = [net.const(np.array(v)) for v in ([0], [2], [axis])]
    a, b = net.node("Slice", left, *ends), net.node("Slice", right, *ends)
    net.quant(net.node("Sub", net.quant(a, 0.25, 4), net.quant(b, 0.25, 4)), 0.5, 4)
    agrees(tmp_path, net)


@pytest.mark.parametrize("op", ["Sigmoid", "Tanh", "HardSigmoid"])
@pytest.mark.parametrize("bits", [1, 3, 7])
def test_squashing_functions_become_thresholds(tmp_path, op, bits):
    net, x = start(12, bits=6)
    x = net.node("MatMul", x, net.weight(RNG.normal(size=(12, 8)), 0.0625, 4))
    x = net.node(op, net.node("Mul", x, net.const(RNG.normal(size=8))))
    x = net.quant(x, 2.0 ** (1 - bits) * 0.99, bits, signed=int(op == "Tanh"))
    net.node("MatMul", x, net.weight(RNG.normal(size=(8, 4)), 0.25, 4))
    agrees(tmp_path, net, frames=200)


def test_boundaries_of_sigmoid_and_tanh_are_irrational_but_at_zero():
    for step, y, x in ((SIGMOID, 0.75, math.log(3)), (TANH, -0.5, -math.log(3) / 2)):
        found = step.back(Bound(Fraction(y)), 0)
        assert float(found.value) == pytest.approx(x, abs=1e-15)
        assert abs(step.apply(found.value, 0) - Fraction(y)) < Fraction(1, 10**60)
        sides = [replace(step, lean=s).back(Bound(Fraction(y)), 0).value for s in (-1, 1)]
        assert sides[0] < found.value < sides[1]
        assert step.back(Bound(Fraction(step.low)), 0).value == ALWAYS
        assert step.back(Bound(Fraction(1)), 0).value == NEVER
    assert SIGMOID.back(Bound(Fraction(1, 2), inclusive=False), 0) == Bound(Fraction(0), False)


@pytest.mark.parametrize("include", [0, 1])
@pytest.mark.parametrize("stride", [1, 2])
def test_average_pool_with_a_border(tmp_path, include, stride):
    net, x = start(2, 5, 6)
    attrs = {"pads": [1, 0, 1, 1], "strides": [stride] * 2, "count_include_pad": include}
    net.quant(net.node("AveragePool", x, kernel_shape=[3, 2], **attrs), 0.11, 4, signed=0)
    agrees(tmp_path, net)


def test_sums_over_space_and_of_three(tmp_path):
    net, x = start(3, 4, 4)
    parts = [net.quant(conv(net, x, 3, 3), 0.25, 4) for _ in range(3)]
    x = net.quant(net.node("Sum", *parts), 0.31, 5)
    x = net.node("ReduceSum", x, net.const(np.array([2, 3])), keepdims=0)
    net.node("MatMul", x, net.weight(RNG.normal(size=(3, 4)), 0.25, 4))
    agrees(tmp_path, net)


def test_a_part_that_nothing_reads_costs_nothing(tmp_path):
    net, x = start(4, 4, 4)
    x = net.quant(conv(net, x, 4, 4), 0.25, 4)
    x = net.node("Split", x, axis=1, outputs=2)
    net.quant(conv(net, x, 3, 2), 0.37, 4)
    graph, _ = agrees(tmp_path, net)
    assert kinds(graph).count(Slice) == 1
    board = load_board("pynq-z1")
    simulate(assemble(graph, {}, board), board)


def test_products_over_positions(tmp_path):
    """(N, T, K) from a picture, whose channels lie innermost, and a constant from the left."""
    net, x = start(3, 5)
    y = net.node("MatMul", x, net.weight(RNG.normal(size=(5, 4)), 0.25, 4))
    y = net.quant(y, 0.37, 4)
    net.quant(net.node("MatMul", net.weight(RNG.normal(size=(2, 3)), 0.25, 4), y), 0.5, 4)
    graph, _ = agrees(tmp_path, net)
    assert kinds(graph).count(Reorder) == 2


def unet() -> Net:
    """Down, up by a transposed convolution, joined with the skip; a map comes out."""
    net, x = start(2, 8, 8)
    skip = net.quant(net.node("Relu", conv(net, x, 4, 2)), 0.25, 4, signed=0)
    x = net.node("MaxPool", skip, kernel_shape=[2, 2], strides=[2, 2])
    x = net.quant(net.node("Relu", conv(net, x, 8, 4)), 0.25, 4, signed=0)
    scales = net.const(np.array([1, 1, 2, 2], np.float32))
    x = net.node("Resize", x, "", scales, mode="nearest")
    x = net.quant(net.node("Concat", x, skip, axis=1), 0.25, 4, signed=0)
    net.quant(conv(net, x, 2, 12), 0.5, 4)
    return net


def test_unet_is_exact_planned_and_simulated(tmp_path):
    graph, _ = agrees(tmp_path, unet())
    board = load_board("pynq-z1")
    found = plan(graph, board)
    assert found.estimate.verdict.fits
    assert simulate(found.design, board).interval_cycles > 0


def test_orders_that_no_axes_give_are_told_apart():
    swapped = np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1).reshape(-1)
    vectors, sizes, strides = course_of(swapped)
    assert (vectors, sizes, strides) == (1, (4, 6), (1, 4))
    assert course_of(np.array([0, 2, 1, 3, 5, 4])) is None
