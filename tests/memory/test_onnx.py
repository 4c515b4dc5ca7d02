"""Sizes of ONNX files against the torch networks they came from."""

from __future__ import annotations

import json
import warnings

import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from codesign.cli import main
from codesign.errors import BadInput
from codesign.graph.sizes import size_of_onnx
from codesign.memory.of_module import size_of_module
from codesign.memory.training import memory_need


class Net(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, groups=4, bias=False),
            nn.MaxPool2d(2),
            nn.ConvTranspose2d(8, 4, 2, stride=2),
            nn.Flatten(),
            nn.Linear(4 * 6 * 6, 10),
        )


@pytest.fixture
def exported(tmp_path):
    path = tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(Net().eval(), torch.zeros(1, 3, 16, 16), path, dynamo=False)
    return path


def test_a_file_has_the_sizes_of_its_network(exported):
    found, expected = size_of_onnx(exported), size_of_module(Net(), (3, 16, 16))
    assert [(w.weights, w.outputs, w.macs) for w in found.weighted] == [
        (w.weights, w.outputs, w.macs) for w in expected.weighted
    ]
    assert found.parameters == expected.parameters
    assert found.stored == expected.stored


def test_a_bias_in_a_node_of_its_own_counts(tmp_path):
    """torch writes a Linear of rows as MatMul and Add."""
    model, path = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3)), tmp_path / "rows.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, torch.zeros(1, 5, 6), path, dynamo=False)
    assert [node.op_type for node in onnx.load(path).graph.node].count("Add") == 2
    found, expected = size_of_onnx(path), size_of_module(model, (5, 6))
    assert [w.parameters for w in found.weighted] == [4, 3]
    assert (found.parameters, found.macs) == (expected.parameters, expected.macs)


def test_products_are_those_of_a_naive_count():
    transposed = nn.ConvTranspose2d(2, 3, 2, stride=2, bias=False)
    size = size_of_module(nn.Sequential(transposed), (2, 5, 5))
    assert size.macs == sum(1 for _pixel in range(25) for _in in range(2) for _out in range(12))


def test_widths_scale_inference_and_not_the_masters_of_training(exported):
    wide, narrow = (memory_need(size_of_onnx(exported), b, b) for b in (32, 4))
    assert wide.inference_bytes == 8 * narrow.inference_bytes
    assert wide.training_bytes == narrow.training_bytes
    assert wide.frame_bytes == 8 * narrow.frame_bytes


class Reshaped(nn.Module):
    """Flattens by the shape that its input has, as older exporters write it; 1 - x puts a constant
    before the activation."""

    def __init__(self) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.ones(1, 3, 1, 1))
        self.conv, self.fc = nn.Conv2d(3, 4, 3, bias=False), nn.Linear(16, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.conv(self.offset - x)
        return self.fc(y.reshape(y.shape[0], -1))


def test_sizes_behind_a_reshape_by_another_shape_are_known(tmp_path):
    path = tmp_path / "reshaped.onnx"
    axes = {"x": {0: "batch"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inputs = torch.zeros(1, 3, 4, 4)
        torch.onnx.export(
            Reshaped().eval(), inputs, path, input_names=["x"], dynamic_axes=axes, dynamo=False
        )
    assert any(node.op_type == "Shape" for node in onnx.load(path).graph.node)
    found = [(w.weights, w.outputs, w.macs) for w in size_of_onnx(path).weighted]
    assert found == [(108, 16, 432), (80, 5, 80)]


def test_a_shape_that_nothing_tells_is_refused(tmp_path):
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in "xy"]
    weight = helper.make_tensor("w", TensorProto.FLOAT, [4, 2], [1.0] * 8)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [weight]
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), tmp_path / "r")
    with pytest.raises(BadInput, match="shape"):
        size_of_onnx(tmp_path / "r")


def test_a_file_without_weights_is_refused(tmp_path):
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4]) for n in "xy"]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), tmp_path / "r")
    with pytest.raises(BadInput, match="no layer with weights"):
        size_of_onnx(tmp_path / "r")


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.onnx"],
        ["--table", "nine"],
        ["--act-bits", "4"],
        ["x.onnx", "--act-bits", "0"],
        ["x.onnx", "--table", "dq3"],
    ],
)
def test_bad_input_ends_in_a_sentence(arguments, capsys):
    assert main(["memory", *arguments]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_the_command_prints_a_row_for_each_width(exported, capsys):
    assert main(["memory", str(exported), "--json"]) == 0
    needs = json.loads(capsys.readouterr().out)["needs"]
    assert [need["weight_bits"] for need in needs] == [1, 2, 3, 4, 5, 6, 7, 8, 16, 32]
    assert main(["memory", str(exported), "--weight-bits", "4"]) == 0
    parameters = sum(p.numel() for p in Net().parameters())
    assert f"{parameters / 2 / 1000:,.2f}" in capsys.readouterr().out
