"""Where torch and the integer graph name different classes, two logits are equal integers.

The last layer has few levels, so equal logits are common; float32 then orders them by the rounding
of its sums, and the integer graph takes the first.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from codesign.graph.load import import_model
from codesign.models.registry import build_model
from codesign.quant import QuantConfig
from codesign.train.evaluate import TIE
from codesign.train.export import export_qonnx
from tests.graph.compared import integers_of
from tests.train.noise import learn

SHAPE, CLASSES, FRAMES = (3, 16, 16), 10, 64


def trained(quantiser: str) -> tuple[nn.Module, torch.Tensor]:
    """A ResNet-8 after three steps on noise, when its logits are still close together."""
    torch.manual_seed(0)
    model = build_model(
        "resnet", SHAPE, CLASSES, QuantConfig(3, 3, quantiser=quantiser), channels=8
    )
    x, y = torch.randint(0, 256, (FRAMES, *SHAPE)) / 255, torch.arange(FRAMES) % CLASSES
    learn(model, x, y, 3, lr=0.005)
    return model.eval(), x


def exact_logits(model: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits as torch has them, and as sums of the integers that it multiplies."""
    seen = []
    hook = model.pool_act.register_forward_hook(lambda *call: seen.append(call[2]))
    with torch.no_grad():
        logits = model(x)
        weight = model.logits.quant_weight()
    hook.remove()
    step = model.pool_act.act_quant.quantiser.scale(x)
    acts = (getattr(seen[0], "value", seen[0]) / step).round().long().flatten(1)
    return logits, acts @ (weight.value / weight.scale).round().long().T


@pytest.mark.parametrize("quantiser", ["sat", "fixed"])
def test_classes_of_a_resnet_differ_in_ties_of_integers_alone(quantiser, tmp_path):
    model, x = trained(quantiser)
    path = export_qonnx(model, SHAPE, tmp_path / "model.onnx", x[:4]).path
    graph = import_model(path)
    classes = integers_of(graph, x.numpy())[:, 0]
    logits, exact = exact_logits(model, x)
    assert np.array_equal(classes, exact.numpy().argmax(1))

    best = exact == exact.amax(1, keepdim=True)
    assert best[torch.arange(FRAMES), logits.argmax(1)].all()
    # What torch calls a tie is one of integers, and the other way round.
    assert torch.equal(logits >= logits.amax(1, keepdim=True) - TIE, best)
    if quantiser == "sat":
        assert (best.sum(1) > 1).any()
