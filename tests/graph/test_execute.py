"""Reference execution: layouts, batches, the Design, and refused inputs."""

import numpy as np
import pytest

from codesign.board import load_board
from codesign.design import HostInput
from codesign.errors import BadInput
from codesign.graph.execute import execute, execute_design, from_real, to_stream
from codesign.graph.load import import_model
from codesign.lowering import assemble
from codesign.types import BIPOLAR, QType
from tests.graph.nets import Net

BYTE = QType(8, False)


@pytest.fixture
def graph(tmp_path):
    rng = np.random.default_rng(0)
    net = Net((1, 3, 6, 6))
    x = net.quant("x", 2**-8, 8, signed=0)
    x = net.node("Conv", x, net.weight(rng.normal(size=(4, 3, 3, 3)), 0.25, 4), kernel_shape=[3, 3])
    x = net.node("Flatten", net.quant(net.node("Relu", x), 0.3, 3, signed=0))
    net.node("MatMul", x, net.weight(rng.normal(size=(64, 5)), 0.25, 4))
    return import_model(net.save(tmp_path / "net.onnx"), BYTE, 2**-8)


def test_stream_order_is_rows_then_columns_then_channels():
    host = HostInput("x", (2, 3, 4), (4, 2, 3), BYTE)
    x = np.arange(24).reshape(1, 4, 2, 3)
    flat = to_stream(host, x)[0]
    for row in range(2):
        for col in range(3):
            for channel in range(4):
                assert flat[(row * 3 + col) * 4 + channel] == x[0, channel, row, col]


def test_one_by_one_equals_the_batch(graph):
    q = np.random.default_rng(1).integers(0, 256, (9, 108))
    single = np.concatenate([execute(graph, frame[None]) for frame in q])
    np.testing.assert_array_equal(single, execute(graph, q))
    outputs, tensors = execute(graph, q, keep=True)
    np.testing.assert_array_equal(outputs, single)
    assert set(tensors) == {"input", *(t for n in graph.nodes for t in n.outputs)}


def test_design_and_graph_give_the_same_integers(graph):
    """Forks and width converters change nothing; the design is read from its own streams."""
    board = load_board("pynq-z1")
    folds = {n.block.name: n.block.legal_folds()[-1] for n in graph.nodes[::2]}
    design = assemble(graph, folds, board)
    q = np.random.default_rng(2).integers(0, 256, (5, 108))
    assert len(design.blocks) > len(graph.nodes)
    np.testing.assert_array_equal(execute_design(design, graph.params, q), execute(graph, q))


def test_real_inputs_round_to_the_hosts_integers():
    host = HostInput("x", (4,), (4,), QType(3), scale=0.5, offset=1.0)
    assert from_real(host, np.array([[-9, 0.9, 1.3, 9]])).tolist() == [[-4, 0, 1, 3]]
    assert from_real(HostInput("x", (2,), (2,), BIPOLAR), np.array([[-0.1, 0]])).tolist() == [
        [-1, 1]
    ]


def test_wrong_inputs_are_refused(graph):
    with pytest.raises(BadInput, match=r"\(frames, 108\)"):
        execute(graph, np.zeros((2, 107), int))
    with pytest.raises(BadInput, match="uint8"):
        execute(graph, np.full((2, 108), 256))
    with pytest.raises(BadInput, match="3, 6, 6"):
        to_stream(graph.input, np.zeros((2, 6, 6, 3)))
