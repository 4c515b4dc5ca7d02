"""The check itself: wrong integers are found and named, float32 ties are proven, not excused."""

from dataclasses import replace

import numpy as np
import pytest

from codesign.errors import BadInput
from codesign.graph.check import check_against_qonnx
from codesign.graph.load import import_model
from codesign.types import QType
from tests.graph.nets import Net

BYTE = QType(8, False)


def small_net(tmp_path, step=0.375):
    rng = np.random.default_rng(0)
    net = Net((1, 12))
    x = net.quant("x", 2**-8, 8, signed=0)
    x = net.node("MatMul", x, net.weight(rng.normal(size=(12, 9)), 0.25, 4, "fc1.weight"))
    x = net.quant(net.node("Relu", x), step, 3, signed=0)
    net.node("MatMul", x, net.weight(rng.normal(size=(9, 5)), 0.25, 4, "fc2.weight"))
    pixels = rng.integers(0, 256, (40, 12))
    return net.save(tmp_path / "net.onnx"), (pixels * 2.0**-8).astype(np.float32)


def altered(graph, name, change):
    params = {k: v.copy() for k, v in graph.params.items()}
    change(params[name])
    return replace(graph, params=params)


def test_a_shifted_threshold_is_found_and_its_node_named(tmp_path):
    path, x = small_net(tmp_path)
    graph = import_model(path, BYTE, 2**-8)

    def shift(table):
        table += 40

    report = check_against_qonnx(path, altered(graph, "fc1_thr.thresholds", shift), x)
    assert not report.ok
    assert report.unproven and report.unproven[0].node == "Quant_5"
    assert "Quant_5" in report.sentence


def test_wrong_weights_of_the_last_layer_are_found(tmp_path):
    path, x = small_net(tmp_path)
    graph = import_model(path, BYTE, 2**-8)

    def negate(weight):
        weight *= -1

    report = check_against_qonnx(path, altered(graph, "fc2.weight", negate), x)
    assert not report.ok and report.unexplained_classes and not report.differences


def test_wrong_logits_are_found(tmp_path):
    path, x = small_net(tmp_path)
    graph = import_model(path, BYTE, 2**-8, classify=False)
    assert check_against_qonnx(path, graph, x).ok

    def nudge(weight):
        weight[0] += 1

    report = check_against_qonnx(path, altered(graph, "fc2.weight", nudge), x)
    assert not report.ok and report.wrong_outputs and "outputs differ" in report.sentence


def test_a_float32_tie_is_proven(tmp_path):
    """0.1f * 15 is above 1.5, but float32 rounds it to 1.5: half to even makes it 2, not 1 .. 2."""
    net = Net((1, 64))
    x = net.quant("x", 1.0, 6, signed=0)
    x = net.node("Mul", x, net.const(np.float32(0.1)))
    x = net.node("Mul", x, net.const(np.float32(1 / 3)))
    net.quant(x, np.float32(0.1) * np.float32(1 / 3) * np.float32(2), 5, signed=0)
    path = net.save(tmp_path / "net.onnx")
    graph = import_model(path, QType(6, False), 1.0, classify=False)
    x = np.arange(64, dtype=np.float32)[None]
    report = check_against_qonnx(path, graph, x)
    assert report.ok and report.differences, report.sentence
    assert all(0 < d.distance <= d.bound < 1e-4 for d in report.differences)
    assert "proven float32 ties" in report.sentence


def test_inputs_that_are_none_are_refused(tmp_path):
    path, x = small_net(tmp_path)
    graph = import_model(path, BYTE, 2**-8)
    with pytest.raises(BadInput, match=r"must have shape \(frames, 12\), not \(40, 11\)"):
        check_against_qonnx(path, graph, x[:, :11])
    with pytest.raises(BadInput, match="found NaN or infinity"):
        check_against_qonnx(path, graph, np.full((2, 12), np.nan))


def test_inputs_that_the_host_cannot_send_are_refused(tmp_path):
    net = Net((1, 12))
    net.node("MatMul", "x", net.weight(np.ones((12, 5)), 0.25, 4))
    path = net.save(tmp_path / "net.onnx")
    graph = import_model(path, BYTE, 2**-8)
    with pytest.raises(BadInput, match="inputs that the host can send"):
        check_against_qonnx(path, graph, np.full((3, 12), -1.0, np.float32))
