"""Export: the file is the network, by qonnx's own execution."""

from __future__ import annotations

import copy

import brevitas.nn as qnn
import msgspec
import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from torch import nn

from codesign.errors import BadInput
from codesign.models.quantise import quantise
from codesign.models.registry import build_model
from codesign.quant import LayerBits, QuantConfig
from codesign.quant.handles import handles, record_quantisers
from codesign.train.export import check_export, export_qonnx
from codesign.train.export_check import qonnx_outputs
from codesign.train.export_names import node_name

SHAPE = (1, 8, 8)
FAMILIES = {
    "tfc": {"sizes": [16, 8]},
    "cnv": {"stages": [[4, 4], [8]], "hidden": [16]},
    "resnet": {"channels": 2},
    "mobile": {"width": 0.25, "blocks": [[16, 1], [32, 2]]},
}
CONFIGS = {
    "mixed": QuantConfig(weight_bits=3, act_bits=5),
    "per_channel": QuantConfig(per_channel=True, weight_bits=4, act_bits=3),
    "binary": QuantConfig(weight_bits=1, act_bits=1, binary_act="bipolar", per_channel=True),
    "fixed": QuantConfig(quantiser="fixed", weight_bits=2, act_bits=1, power_of_two_step=True),
}
MIXED = {
    "tfc": {"fc2": LayerBits(weight=1), "logits": LayerBits(weight=8)},
    "cnv": {"classifier": LayerBits(weight=1, act=2), "features.conv2": LayerBits(weight=8)},
    "resnet": {"stages.1": LayerBits(weight=1, act=1), "stages.2.0.act1": LayerBits(act=8)},
    "mobile": {"blocks.1": LayerBits(weight=2, act=1), "blocks.0.depthwise": LayerBits(weight=1)},
}


def pixels(samples: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    integers = torch.randint(0, 256, (samples, *SHAPE), generator=generator)
    return integers * torch.tensor(1 / 255)


def network(name: str, config: QuantConfig) -> nn.Module:
    """A network after a few forward passes, with learned ranges that fill no power of two."""
    torch.manual_seed(1)
    layers = MIXED[name] if config is CONFIGS["mixed"] else {}
    config = msgspec.structs.replace(config, layers=layers)
    model = build_model(name, SHAPE, 10, config, **FAMILIES[name])
    for _ in range(3):
        model(pixels(32))
    for handle in handles(model):
        if len(handle.parameters()) == 2:
            handle.parameters()[1].data.mul_(0.8)
            handle.clip_()
    return model


PAIRS = [
    *(("tfc", config) for config in CONFIGS),
    *(("cnv", config) for config in ("mixed", "per_channel", "binary")),
    *(("resnet", config) for config in ("mixed", "per_channel")),
    *(("mobile", config) for config in ("mixed", "fixed")),
]


@pytest.mark.parametrize(("name", "config"), PAIRS)
def test_exported_file_equals_torch(tmp_path, name, config):
    model = network(name, CONFIGS[config])
    before = copy.deepcopy(model.state_dict())
    result = export_qonnx(model, SHAPE, tmp_path / "net.onnx")
    check = check_export(model, result.path, pixels(60, seed=2))
    assert check.is_same, check
    assert check.float_flips <= 3
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    golden = np.load(result.golden_path)
    found = qonnx_outputs(ModelWrapper(str(result.path)), golden["inputs"])
    assert np.allclose(found, golden["outputs"], atol=1e-5)
    _names_and_widths_are_in_the_file(model, onnx.load(result.path))


def _names_and_widths_are_in_the_file(model: nn.Module, proto: onnx.ModelProto) -> None:
    nodes = {node.name: node for node in proto.graph.node}
    values = {entry.name: numpy_helper.to_array(entry) for entry in proto.graph.initializer}
    assert len(nodes) == len(proto.graph.node)
    for handle in handles(model):
        node = nodes[node_name(handle)]
        if node.op_type == "Quant":
            assert values[node.input[3]] == handle.integer_bits()
        else:
            assert (node.op_type, handle.integer_bits()) == ("BipolarQuant", 1)
        if handle.role == "weight":
            layer = model.get_submodule(handle.name)
            expected = layer.eval().quant_weight().value.detach().numpy()
            stored = values[f"{handle.name}.weight"]
            assert node.input[0] == f"{handle.name}.weight"
            assert np.array_equal(stored.T if expected.ndim == 2 else stored, expected)


class Plain(nn.Module):
    """A convolution with bias, one ReLU object used twice, a reshape and a last bias."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.relu = nn.ReLU()
        self.depth = nn.Conv2d(4, 4, 3, groups=4)
        self.fc = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.depth(self.relu(self.conv(x))))
        return self.fc(x.reshape(x.shape[0], 64))


def test_plain_network_of_a_user(tmp_path):
    torch.manual_seed(0)
    model = quantise(Plain(), QuantConfig(weight_bits=3, act_bits=3), SHAPE)
    model(pixels(32))
    result = export_qonnx(model, SHAPE, tmp_path / "net.onnx", golden_inputs=pixels(5))
    assert result.golden_samples == 5
    check = check_export(model, result.path, pixels(20), torch.arange(20) % 10)
    assert check.is_same
    assert check.torch_accuracy == check.qonnx_accuracy
    names = [node.name for node in onnx.load(result.path).graph.node]
    assert {"conv", "relu", "relu_1", "depth", "fc"} <= set(names)


def test_brevitas_network_of_a_user(tmp_path):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Flatten(),
        qnn.QuantIdentity(bit_width=8, return_quant_tensor=True),
        qnn.QuantLinear(64, 16, bias=False, weight_bit_width=3, return_quant_tensor=True),
        qnn.QuantReLU(bit_width=4, return_quant_tensor=True),
        qnn.QuantLinear(16, 10, bias=False, weight_bit_width=5),
    )
    model(pixels(32))
    record_quantisers(model, SHAPE)
    path = export_qonnx(model, SHAPE, tmp_path / "net.onnx").path
    check = check_export(model, path, pixels(20))
    assert check.is_same and check.samples == 20
    names = {node.name for node in onnx.load(path).graph.node}
    assert {"1", "2.weight_quant", "3", "4"} <= names


def test_a_changed_weight_is_no_float_flip(tmp_path):
    model = network("tfc", QuantConfig())
    path = export_qonnx(model, SHAPE, tmp_path / "net.onnx").path
    proto = onnx.load(path)
    entry = next(e for e in proto.graph.initializer if e.name == "fc2.weight")
    entry.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(entry), entry.name))
    onnx.save(proto, path)
    check = check_export(model, path, pixels(20))
    assert not check.is_same
    assert check.max_abs_difference > 1e-3
    assert check.float_flips == 0


def test_a_rounding_that_flips_is_found_and_explained(tmp_path):
    """The bias moves one value onto a boundary between levels, half an ulp apart in the file."""
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.ReLU(), nn.Linear(1, 3))
    model = quantise(plain, QuantConfig(), SHAPE)
    model(pixels(32))
    step = model[2].act_quant.quantiser.grid().step
    x = pixels(10)
    with torch.no_grad():
        model[1].weight.abs_()
        raw = model.eval()[:2](x)
        model[1].bias += 2.5 * step - raw[0]
    path = export_qonnx(model, SHAPE, tmp_path / "net.onnx").path
    proto = onnx.load(path)
    for entry in proto.graph.initializer:
        value = numpy_helper.to_array(entry)
        if value.size == 1 and np.isclose(value, model[1].bias.item()):
            moved = value + np.float32(1e-5 * step.item())
            entry.CopyFrom(numpy_helper.from_array(moved.astype(np.float32), entry.name))
    onnx.save(proto, path)
    model[1].bias.data -= 1e-5 * step
    check = check_export(model, path, x)
    assert check.float_flips == 1
    assert check.flips[0].sample == 0
    assert (check.flips[0].quantiser, check.flips[0].elements) == ("2", 1)
    assert check.max_abs_difference <= 1e-5


def test_an_exception_without_words_is_named(tmp_path):
    class Mute(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if torch.jit.is_tracing():
                raise AssertionError
            return x

    model = quantise(nn.Sequential(nn.Flatten(), nn.Linear(64, 4), Mute()), QuantConfig(), SHAPE)
    with pytest.raises(BadInput, match=r"cannot be expressed in ONNX \(AssertionError\)"):
        export_qonnx(model, SHAPE, tmp_path / "net.onnx")


def test_nothing_is_left_behind_when_export_fails(tmp_path):
    class Untraceable(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(64, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.fft.fft(self.fc(x.flatten(1))).abs()

    model = quantise(Untraceable(), QuantConfig(), SHAPE)
    with pytest.raises(BadInput, match="cannot be expressed in ONNX"):
        export_qonnx(model, SHAPE, tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    good = network("tfc", QuantConfig())
    with pytest.raises(BadInput, match="cannot be written"):
        export_qonnx(good, SHAPE, tmp_path / "file" / "net.onnx")
