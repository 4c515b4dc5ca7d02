"""The passes on the ONNX graph: each keeps what qonnx computes, and does what it says."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from codesign.errors import BadInput, InvariantBroken
from codesign.graph import passes
from codesign.graph.passes import (
    canonical_domains,
    explicit_pads,
    invariants,
    node_names,
    pool_behind_quantiser,
    static_batch,
    static_shapes,
)
from codesign.graph.read import read_onnx
from tests.graph.nets import Net


def shaped(net: Net, tmp_path) -> ModelWrapper:
    model = read_onnx(net.save(tmp_path / "net.onnx"))
    return static_shapes.run(static_batch.run(model))


def run(model: ModelWrapper, x: np.ndarray) -> np.ndarray:
    (result,) = execute_onnx(model, {model.graph.input[0].name: x}).values()
    return result


def test_every_pass_has_a_reason_on_its_line():
    source = Path(passes.__file__).read_text().split("PASSES = (")[1].split(")\n")[0]
    lines = [line for line in source.splitlines() if line.strip()]
    assert len(lines) == len(passes.PASSES)
    assert all("  # " in line for line in lines)


@pytest.mark.parametrize("mode", ["SAME_UPPER", "SAME_LOWER", "VALID"])
@pytest.mark.parametrize("stride", [1, 2])
def test_explicit_pads_keep_the_convolution(tmp_path, mode, stride):
    rng = np.random.default_rng(0)
    net = Net((1, 2, 7, 6))
    weight = net.const(rng.normal(size=(3, 2, 4, 3)))
    net.node("Conv", "x", weight, kernel_shape=[4, 3], strides=[stride] * 2, auto_pad=mode)
    model = shaped(net, tmp_path)
    x = rng.normal(size=(1, 2, 7, 6)).astype(np.float32)
    before = run(model, x)
    model = explicit_pads.run(model)
    assert [a.name for a in model.graph.node[0].attribute].count("auto_pad") == 0
    np.testing.assert_array_equal(run(model, x), before)


def test_pool_moves_behind_relu_and_quantiser(tmp_path):
    rng = np.random.default_rng(1)
    net = Net((1, 2, 6, 6))
    x = net.node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    net.quant(net.node("Relu", x), 0.25, 3, signed=0)
    model = shaped(net, tmp_path)
    x = rng.normal(size=(1, 2, 6, 6)).astype(np.float32)
    before = run(model, x)
    model = pool_behind_quantiser.run(model)
    assert [n.op_type for n in model.graph.node] == ["Relu", "Quant", "MaxPool"]
    invariants.check(model, "pool_behind_quantiser")
    np.testing.assert_array_equal(run(model, x), before)


def test_pool_with_a_second_reader_stays(tmp_path):
    net = Net((1, 2, 6, 6))
    x = net.node("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2])
    a = net.quant(x, 0.25, 3)
    net.node("Add", a, x)
    model = pool_behind_quantiser.run(shaped(net, tmp_path))
    assert [n.op_type for n in model.graph.node] == ["MaxPool", "Quant", "Add"]


@pytest.mark.filterwarnings("ignore:Some old-style domain")
def test_domains_of_all_exporters_become_one():
    nodes = [
        helper.make_node(op, ["x"], [f"y{i}"], domain=domain)
        for i, (op, domain) in enumerate(
            [
                ("Quant", "onnx.brevitas"),
                ("MultiThreshold", "finn.custom_op.general"),
                ("Trunc", ""),
            ]
        )
    ]
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])
    out = helper.make_tensor_value_info("y2", TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph(nodes, "g", [value], [out])
    opsets = [helper.make_opsetid("onnx.brevitas", 1), helper.make_opsetid("", 13)]
    model = canonical_domains.run(ModelWrapper(helper.make_model(graph, opset_imports=opsets)))
    assert {n.domain for n in model.graph.node} == {"qonnx.custom_op.general"}
    imports = [(o.domain, o.version) for o in model.model.opset_import]
    assert imports == [("", 13), ("qonnx.custom_op.general", 1)]


def test_names_are_unique_and_stable(tmp_path):
    net = Net((1, 4))
    for _ in range(3):
        net.node("Relu", net.last)
    for node, name in zip(net.nodes, ["", "act", "act"], strict=True):
        node.name = name
    model = node_names.run(read_onnx(net.save(tmp_path / "net.onnx")))
    assert [n.name for n in model.graph.node] == ["Relu_0", "act", "act_1"]


def test_a_broken_graph_names_pass_and_node(tmp_path):
    net = Net((1, 4))
    net.node("Relu", net.node("Neg", "x"))
    model = read_onnx(net.save(tmp_path / "net.onnx"))
    invariants.check(model, "nothing")
    model.graph.node[1].input[0] = "missing"
    with pytest.raises(
        InvariantBroken, match=r"after pass dead_code: node Relu_2 reads \['missing'\]"
    ):
        invariants.check(model, "dead_code")


def test_input_without_fixed_size_is_refused(tmp_path):
    net = Net((1, None, 4))
    net.quant("x", 0.5, 4)
    with pytest.raises(BadInput, match="axis 1 has no fixed size"):
        static_batch.run(read_onnx(net.save(tmp_path / "net.onnx")))
