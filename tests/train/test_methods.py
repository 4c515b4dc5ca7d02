"""Every quantiser learns, is exported, and is carried by the integer graph."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from codesign.errors import BadInput
from codesign.graph.execute import execute, from_real, to_stream
from codesign.graph.load import import_model
from codesign.models.registry import build_model
from codesign.quant import QuantConfig
from codesign.quant.handles import handles
from codesign.quant.methods import METHODS, method
from codesign.train.export import export_qonnx

SHAPE = (1, 6, 6)


# Levels that are not equally spaced have no node of their own for activations.
WEIGHTS_ONLY = {"p1", "p2", "p3"}


def config_of(method, per_channel: bool = False) -> QuantConfig:
    acts = bool(method.act_bits) and method.name not in WEIGHTS_ONLY
    return QuantConfig(
        weight_bits=min(4, method.weight_bits[-1]) if method.weight_bits else 4,
        weight_quantiser=method.name if method.weight_bits else "fixed",
        act_quantiser=method.name if acts else "fixed",
        per_channel=per_channel,
    )


CONFIGS = {m.name: config_of(m) for m in METHODS} | {
    f"{name} per channel": config_of(method(name), per_channel=True)
    for name in ("u1", "u2", "p3", "twn")
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_a_method_learns_and_reaches_the_integers(config, tmp_path):
    torch.manual_seed(0)
    model = build_model("tfc", SHAPE, 4, config, sizes=[24, 16])
    x, y = torch.randint(0, 256, (64, *SHAPE)) / 255, torch.arange(64) % 4
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(25):
        loss = nn.functional.cross_entropy(model(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        for handle in handles(model):
            handle.clip_()
        losses.append(loss.item())
    assert sum(losses[-5:]) < 0.9 * sum(losses[:5])

    model.eval()
    path = export_qonnx(model, SHAPE, tmp_path / "model.onnx", x[:4]).path
    graph = import_model(path)
    classes = execute(graph, to_stream(graph.input, from_real(graph.input, x.numpy())))[:, 0]
    with torch.no_grad():
        logits = model(x)
    top = logits.topk(2).values
    clear = (top[:, 0] - top[:, 1]) > 1e-4 * logits.abs().max()
    assert clear.sum() >= 50
    assert np.array_equal(classes[clear], logits.argmax(1)[clear].numpy())


def test_activations_without_a_node_are_refused_in_words(tmp_path):
    model = build_model("tfc", SHAPE, 4, QuantConfig(quantiser="p3"), sizes=[8])
    with pytest.raises(BadInput, match="equally spaced; train with act_quantiser"):
        export_qonnx(model.eval(), SHAPE, tmp_path / "model.onnx", torch.zeros(1, *SHAPE))
