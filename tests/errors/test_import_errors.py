"""What a person reads when a file cannot become hardware."""

import numpy as np
import pytest

from codesign.errors import BadInput, UnsupportedLayer
from codesign.graph.load import import_model
from codesign.types import QType
from tests.graph.nets import Net

BYTE = QType(8, False)


def refusal(net: Net, tmp_path, kind=UnsupportedLayer, qtype=BYTE) -> str:
    """The sentence that the import of `net` ends with."""
    with pytest.raises(kind) as caught:
        import_model(net.save(tmp_path / "net.onnx"), qtype)
    return caught.value.message


def quantised(shape) -> tuple[Net, str]:
    net = Net(shape)
    return net, net.quant("x", 0.5, 4, signed=0)


def test_not_an_onnx_file(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(b"PK\x03\x04 this is a zip file, not a network")
    with pytest.raises(BadInput, match=r"model\.onnx: is not a whole ONNX file .* export"):
        import_model(path)


def test_a_truncated_file(tmp_path):
    net, x = quantised((1, 8))
    net.node("MatMul", x, net.weight(np.ones((8, 4)), 1.0, 4))
    data = net.save(tmp_path / "net.onnx").read_bytes()
    for size in (0, 1, len(data) // 2, len(data) - 3):
        (tmp_path / "cut.onnx").write_bytes(data[:size])
        with pytest.raises(BadInput, match=r"cut\.onnx"):
            import_model(tmp_path / "cut.onnx")


def test_no_such_file(tmp_path):
    with pytest.raises(BadInput, match="No such file"):
        import_model(tmp_path / "none.onnx")


def test_a_float_network_is_sent_to_training(tmp_path):
    net = Net((1, 8))
    net.node("MatMul", "x", net.const(np.ones((8, 4))))
    sentence = refusal(net, tmp_path, BadInput)
    assert "no quantisers" in sentence and "codesign train" in sentence


def test_an_unknown_op_names_the_node_and_what_is_possible(tmp_path):
    net, x = quantised((1, 8))
    net.node("Erf", x)
    sentence = refusal(net, tmp_path)
    assert "Erf_2 (Erf)" in sentence and "MatMul" in sentence and "QuantHardTanh" in sentence


def test_an_op_of_another_domain(tmp_path):
    net, x = quantised((1, 8))
    net.node("Conv", x, domain="finn.custom_op.fpgadataflow")
    assert "domain 'finn.custom_op.fpgadataflow' is not known" in refusal(net, tmp_path)


def test_a_malformed_node_is_named(tmp_path):
    net, x = quantised((1, 3, 8, 8))
    net.node("BatchNormalization", x, *(net.const(np.ones(4)) for _ in range(4)))
    assert "BatchNormalization_2" in refusal(net, tmp_path)


def test_a_graph_out_of_order_is_the_files_fault(tmp_path):
    net, x = quantised((1, 8))
    net.node("Relu", net.node("Neg", x))
    net.nodes.reverse()
    assert "net.onnx: is not a valid graph" in refusal(net, tmp_path, BadInput)


def test_shapes_that_do_not_fit(tmp_path):
    net, x = quantised((1, 8))
    net.node("MatMul", x, net.weight(np.ones((9, 4)), 1.0, 4))
    assert "MatMul_3 (MatMul): shapes (1, 8) and (9, 4)" in refusal(net, tmp_path)


def test_an_input_of_real_numbers_needs_a_type(tmp_path):
    net = Net((1, 8))
    net.node("MatMul", "x", net.weight(np.ones((8, 4)), 1.0, 4))
    assert "--input uint8" in refusal(net, tmp_path, qtype=None)


def test_float_weights_are_named(tmp_path):
    net, x = quantised((1, 8))
    net.node("MatMul", x, net.const(np.full((8, 4), 0.3), "fc1.weight"))
    sentence = refusal(net, tmp_path)
    assert "fc1.weight" in sentence and "not quantised" in sentence


def test_a_grid_between_whose_levels_zero_lies_cannot_be_padded(tmp_path):
    net = Net((1, 2, 5, 5))
    x = net.quant(net.node("Sub", "x", net.const(100.0)), 1.0, 1)
    x = net.node("Add", x, net.const(0.3))
    weight = net.weight(np.ones((4, 2, 3, 3)), 1.0, 4)
    net.node("Conv", x, weight, kernel_shape=[3, 3], pads=[1] * 4)
    sentence = refusal(net, tmp_path)
    assert "pads with 0" in sentence and "bipolar" in sentence and "zero point" in sentence


def test_offsets_per_pixel_in_front_of_a_window(tmp_path):
    net, x = quantised((1, 2, 5, 5))
    x = net.node("Add", x, net.const(np.random.default_rng(0).normal(size=(1, 1, 5, 5))))
    net.node("Conv", x, net.weight(np.ones((4, 2, 3, 3)), 1.0, 4), kernel_shape=[3, 3])
    assert "from pixel to pixel" in refusal(net, tmp_path)


def test_weight_scales_within_a_channel(tmp_path):
    net, x = quantised((1, 8))
    net.node("MatMul", x, net.weight(np.ones((8, 4)), np.linspace(1, 2, 8)[:, None], 4))
    assert "per output channel" in refusal(net, tmp_path)


def test_foreign_float_networks(models_dir):
    for name in ("mnist_conv_float", "float_residual_block"):
        with pytest.raises(BadInput, match="codesign train"):
            import_model(models_dir / f"{name}.onnx", BYTE)
