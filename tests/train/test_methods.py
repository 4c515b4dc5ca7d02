"""Every quantiser learns, is exported, and is carried by the integer graph."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch
from torch import nn

from codesign.board import load_board
from codesign.errors import BadInput, UnsupportedLayer
from codesign.graph.load import import_model
from codesign.lowering import assemble
from codesign.models.registry import build_model
from codesign.quant import QuantConfig
from codesign.quant.handles import handles
from codesign.quant.methods import METHODS, Method, method
from codesign.recipe import BoardSpec, ModelSpec, Recipe
from codesign.sim.simulate import simulate
from codesign.train.export import check_export, export_qonnx
from tests.graph.compared import integers_of
from tests.train.noise import learn

SHAPE = (1, 6, 6)


def act_bits_of(method: Method) -> int:
    """3 bits where they can be; P2 diverges sooner, as it did in the paper."""
    return method.act_bits[-1] if 3 not in method.act_bits else 4 if method.name == "p2" else 3


def config_of(method: Method, per_channel: bool = False, on_grid: bool = True) -> QuantConfig:
    return QuantConfig(
        weight_bits=min(4, method.weight_bits[-1]) if method.weight_bits else 4,
        act_bits=act_bits_of(method) if method.act_bits else 3,
        weight_quantiser=method.name if method.weight_bits else "fixed",
        act_quantiser=method.name if method.act_bits else "fixed",
        per_channel=per_channel,
        power_of_two_step=method.real_levels and on_grid,
        accumulator_bits=16 if method.bounds_sums else None,
    )


CONFIGS = {m.name: config_of(m) for m in METHODS if m.name != "float"} | {
    f"{name} per channel": config_of(method(name), per_channel=True)
    for name in ("u1", "u2", "p3", "twn", "ttq", "apot", "hgq", "a2q+")
}


def trained(config: QuantConfig, steps: int = 25) -> tuple[nn.Module, torch.Tensor, list[float]]:
    """A small network after some steps on noise, which it can only learn by heart; the losses."""
    torch.manual_seed(0)
    model = build_model("tfc", SHAPE, 4, config, sizes=[24, 16])
    x, y = torch.randint(0, 256, (64, *SHAPE)) / 255, torch.arange(64) % 4
    losses = learn(model, x, y, steps)
    return model.eval(), x, losses


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_method_learns_and_reaches_the_simulated_accelerator(config, tmp_path):
    model, x, losses = trained(config)
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])

    path = export_qonnx(model, SHAPE, tmp_path / "model.onnx", x[:4]).path
    check = check_export(model, path, x)
    assert check.is_same and check.float_flips <= 2, check

    graph = import_model(path)
    classes = integers_of(graph, x.numpy())[:, 0]
    with torch.no_grad():
        logits = model(x)
    top = logits.topk(2).values
    clear = (top[:, 0] - top[:, 1]) > 1e-4 * logits.abs().max()
    clear[[flip.sample for flip in check.flips]] = False
    assert clear.sum() >= 50
    assert np.array_equal(classes[clear], logits.argmax(1)[clear].numpy())

    board = load_board("pynq-z2")
    result = simulate(assemble(graph, {}, board), board)
    assert result.fps > 0 and result.latency_cycles > 0


REAL = [m for m in METHODS if m.real_levels]


@pytest.mark.parametrize("method", REAL, ids=lambda m: m.name)
def test_weights_on_real_numbers_are_exported_as_they_are_and_do_not_lower(method, tmp_path):
    config = msgspec.structs.replace(config_of(method, on_grid=False), act_quantiser="fixed")
    model, x, _ = trained(config, steps=3)
    path = export_qonnx(model, SHAPE, tmp_path / "model.onnx", x[:4]).path
    assert check_export(model, path, x).is_same
    with pytest.raises(UnsupportedLayer, match="not quantised"):
        import_model(path)
    rule = f"true for quantiser '{method.name}', whose levels are real numbers"
    with pytest.raises(ValueError, match=rule):
        Recipe(model=ModelSpec("tfc"), quant=config, board=BoardSpec("pynq-z2"))


def test_activations_on_real_numbers_are_refused_at_export(tmp_path):
    model, _, _ = trained(QuantConfig(3, 3, quantiser="lq-net"), steps=1)
    with pytest.raises(BadInput, match="activations of LqActs have no QONNX node"):
        export_qonnx(model, SHAPE, tmp_path / "model.onnx", torch.zeros(1, *SHAPE))
    assert not list(tmp_path.iterdir())


def test_a_float_network_is_plain_torch_and_is_not_exported(tmp_path):
    torch.manual_seed(0)
    model = build_model("tfc", SHAPE, 4, QuantConfig(quantiser="float"), sizes=[8]).eval()
    x = torch.randint(0, 256, (5, *SHAPE)) / 255
    hidden = torch.relu(model.bn1(x.flatten(1) @ model.fc1.weight.T))
    with torch.no_grad():
        assert torch.allclose(model(x), hidden @ model.logits.weight.T, atol=1e-6)
    with pytest.raises(BadInput, match="not quantised; train with another"):
        export_qonnx(model, SHAPE, tmp_path / "model.onnx", torch.zeros(1, *SHAPE))


@pytest.mark.parametrize("name", ["pact", "p3"])
def test_signed_sums_of_unsigned_methods_keep_their_sign(name):
    torch.manual_seed(0)
    config = QuantConfig(quantiser="u3", act_quantiser=name)
    model = build_model("resnet", (3, 8, 8), 4, config, channels=4)
    sums = [h for h in handles(model) if h.name.endswith("join.quantiser")]
    assert len(sums) == 3 and all(h.signed for h in sums)
    assert float(sums[0].quantiser.train().quantise(torch.tensor([-1.0, 2.0])).min()) < -0.5
