"""Sums of two activations on any scales: against qonnx, and order by brute force."""

from fractions import Fraction

import numpy as np
import pytest

from codesign.blocks import Add
from codesign.errors import UnsupportedLayer
from codesign.graph.chain import Bound, Linear
from codesign.graph.exact import rationals
from codesign.graph.ir import IntGraph
from codesign.graph.load import import_model
from codesign.graph.sum_levels import sum_levels
from codesign.graph.values import Tensor
from codesign.types import BIPOLAR, QType
from tests.graph.compared import agrees
from tests.graph.nets import QONNX, Net

HOST = QType(8)
SCALE = 2.0**-6


def compare(tmp_path, net: Net) -> IntGraph:
    """Import `net`, compare it with qonnx, whose sums may round; the graph."""
    return agrees(tmp_path, net, HOST, SCALE, 20, exact=False, classify=False)[0]


def term(qtype: QType, scales, offsets) -> Tensor:
    step = Linear(rationals(scales), rationals(offsets))
    return Tensor("t", qtype, (step,), np.arange(12), 4)


@pytest.mark.parametrize("seed", range(24))
def test_small_factors_order_all_pairs_as_the_real_sum_does(seed):
    rng = np.random.default_rng(seed)
    types = [QType(3), QType(4, False), QType(6), BIPOLAR, QType(7, narrow=True)]
    rows = int(rng.choice([1, 4]))
    terms = tuple(
        term(
            types[int(rng.integers(5))],
            rng.uniform(0.01, 1, rows)
            * rng.choice([-1, 1], rows)
            * rng.choice([0, 1], p=[0.1, 0.9]),
            rng.normal(size=rows),
        )
        for _ in range(2)
    )
    sign = int(rng.choice([-1, 1]))
    chain = (Linear(rationals([Fraction(sign, 3)]), rationals([Fraction(1, 7)])),)
    bounds = [[Bound(Fraction(k, 2), bool(k % 2)) for k in range(-5, 6)]]
    found = sum_levels(terms, chain, bounds, rows, -5, 1)
    for row in range(rows):
        a, b = (np.arange(t.qtype.min, t.qtype.max + 1, t.qtype.step) for t in terms)
        factors = [int(f[row % len(f)]) for f in found.factors]
        reals_of_a, reals_of_b = (
            [t.linear.apply(Fraction(int(q)), row) for q in values]
            for t, values in zip(terms, (a, b), strict=True)
        )
        for x, real in zip(a, reals_of_a, strict=True):
            arguments = [chain[0].apply(real + other, row) for other in reals_of_b]
            expected = [-5 + sum(bound.holds(v) for bound in bounds[0]) for v in arguments]
            totals = (factors[0] * x + factors[1] * b)[:, None]
            got = (found.levels.sign[row] * totals >= found.levels.table[row]).sum(axis=1) - 5
            assert got.tolist() == expected


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_residual_of_unrelated_scales_takes_factors_of_few_bits(tmp_path, bits):
    net = Net((1, 3, 4, 4))
    rng = np.random.default_rng(bits)
    x = net.quant("x", 0.0371, bits)
    w = net.weight(rng.normal(size=(3, 3, 1, 1)), 0.131, 4)
    y = net.quant(net.node("Conv", x, w, kernel_shape=[1, 1]), 0.0923, bits)
    total = net.node("Relu", net.node("Add", x, y))
    net.quant(total, 0.117, bits, signed=0)
    graph = compare(tmp_path, net)
    add = next(n.block for n in graph.nodes if isinstance(n.block, Add))
    assert max(abs(s) for s in add.scales).bit_length() <= bits + 1


@pytest.mark.parametrize("end", ["quant", "sigmoid", "bipolar"])
def test_accumulator_with_batch_norm_plus_activation(tmp_path, end):
    net = Net((1, 4, 4, 4))
    rng = np.random.default_rng(3)
    x = net.quant("x", 0.037, 4)
    w = net.weight(rng.normal(size=(4, 4, 1, 1)), rng.uniform(0.1, 0.2, (4, 1, 1, 1)), 4)
    y = net.batch_norm(net.node("Conv", x, w, kernel_shape=[1, 1]), rng, 4)
    total = net.batch_norm(net.node("Sub", y, x), rng, 4)
    if end == "sigmoid":
        net.quant(net.node("Sigmoid", total), 0.07, 4, signed=0)
    elif end == "bipolar":
        net.node("BipolarQuant", total, net.const(np.float32(0.5)), domain=QONNX)
    else:
        net.quant(total, 0.3, 3)
    compare(tmp_path, net)


def test_a_product_behind_the_sum_gets_its_exact_integers(tmp_path):
    net = Net((1, 6))
    a, b = net.quant("x", 0.037, 3), net.quant("x", 0.0519, 4)
    total = net.node("Add", a, b)
    net.quant(total, 0.1, 4)
    w = net.weight(np.random.default_rng(0).normal(size=(6, 3)), 0.25, 3)
    net.node("MatMul", total, w)
    graph = compare(tmp_path, net)
    assert graph.output.qtype.bits > 24


def test_a_sum_too_wide_for_a_product_is_refused(tmp_path):
    net = Net((1, 6))
    rng = np.random.default_rng(0)
    x = net.quant("x", 0.037, 3)
    wide = net.node("MatMul", x, net.weight(rng.normal(size=(6, 6)), 0.0731, 4))
    total = net.node("Add", net.batch_norm(wide, rng, 6), x)
    net.node("MatMul", total, net.weight(rng.normal(size=(6, 3)), 0.25, 3))
    with pytest.raises(UnsupportedLayer, match="share one quantiser"):
        import_model(net.save(tmp_path / "net.onnx"), HOST, SCALE)


def test_sum_of_tensors_in_another_order_is_rearranged(tmp_path):
    net = Net((1, 3, 4))
    a = net.quant("x", 0.04, 4)
    b = net.node(
        "Reshape", net.node("Transpose", a, perm=[0, 2, 1]), net.const(np.array([1, 3, 4]))
    )
    net.quant(net.node("Add", a, b), 0.1, 4)
    compare(tmp_path, net)


def branches(net: Net, scales: tuple[float, ...], bits: int = 4) -> str:
    """Quantised copies of the input, one behind the other along the channels."""
    return net.node("Concat", *(net.quant("x", s, bits) for s in scales), axis=1)


@pytest.mark.parametrize(
    ("scales", "products"),
    [
        ((0.25, 0.5), 1),
        ((0.031, 0.093 * 7), 2),
        ((0.031, 0.047, 0.031), 3),
        ((0.3, 0.3), 1),
        ((0.031, 0.047, 0.059, 0.083), 4),
    ],
)
@pytest.mark.parametrize("layer", ["Conv", "MatMul", "Flatten"])
def test_dense_layers_behind_a_concat_of_different_scales(tmp_path, scales, products, layer):
    net = Net((1, 2, 5, 5))
    rng = np.random.default_rng(1)
    x = branches(net, scales)
    channels = 2 * len(scales)
    if layer == "Conv":
        w = net.weight(rng.normal(size=(3, channels, 3, 3)), 0.07, 4)
        out = net.node("Conv", x, w, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    elif layer == "MatMul":
        last = net.node("Transpose", x, perm=[0, 2, 3, 1])
        out = net.node("MatMul", last, net.weight(rng.normal(size=(channels, 3)), 0.07, 4))
    else:
        flat = net.node("Flatten", x, axis=1)
        out = net.node("MatMul", flat, net.weight(rng.normal(size=(channels * 25, 3)), 0.07, 4))
    net.quant(out, 0.4, 4)
    graph = compare(tmp_path, net)
    kinds = [type(n.block).__name__ for n in graph.nodes]
    assert kinds.count("MatVec") == products
    # Each part is read where it comes from, unless it was reshaped since.
    assert kinds.count("Reorder") == (products > 1 and layer == "Flatten")
    assert layer != "Conv" or kinds.count("Slice") == 0


def test_power_of_two_scales_per_channel_go_into_the_weights(tmp_path):
    net = Net((1, 4, 5, 5))
    scales = np.array([0.5, 0.25, 1.0, 0.125]).reshape(1, 4, 1, 1) / 8
    x = net.quant("x", scales, 4)
    w = net.weight(np.random.default_rng(1).normal(size=(3, 4, 3, 3)), 0.07, 4)
    net.quant(net.node("Conv", x, w, kernel_shape=[3, 3], pads=[1, 1, 1, 1]), 0.05, 4)
    graph = compare(tmp_path, net)
    assert any("weights of 7 instead of 4 bits" in note for note in graph.notes)


def test_many_unrelated_scales_are_refused(tmp_path):
    net = Net((1, 12, 5, 5))
    x = net.quant("x", np.linspace(0.1, 0.2, 12).reshape(1, 12, 1, 1), 4)
    w = net.weight(np.random.default_rng(1).normal(size=(3, 12, 3, 3)), 0.07, 4)
    net.quant(net.node("Conv", x, w, kernel_shape=[3, 3]), 0.05, 4)
    with pytest.raises(UnsupportedLayer, match="one scale per tensor"):
        import_model(net.save(tmp_path / "net.onnx"), HOST, SCALE)


@pytest.mark.parametrize("norm", [False, True])
def test_two_wide_accumulators(tmp_path, norm):
    """Too many pairs to look at: the exact sum, or with a batch norm a refusal."""
    net = Net((1, 8, 4, 4))
    rng = np.random.default_rng(0)
    x = net.quant("x", 0.037, 8)

    def branch(scale: float) -> str:
        w = net.weight(rng.normal(size=(8, 8, 3, 3)), scale, 8)
        out = net.node("Conv", x, w, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        return net.batch_norm(out, rng, 8) if norm else out

    net.quant(net.node("Add", branch(2.0**-7), branch(3.0 * 2.0**-17)), 0.1, 8)
    if norm:
        with pytest.raises(UnsupportedLayer, match="share one quantiser"):
            import_model(net.save(tmp_path / "net.onnx"), HOST, SCALE)
    else:
        compare(tmp_path, net)
