"""The built-in networks: shapes, layer sizes of the originals, training steps."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from codesign.errors import BadInput
from codesign.models.registry import MODELS, build_model
from codesign.quant import QuantConfig
from codesign.quant.handles import handles
from tests.train.noise import learn

SMALL = {
    "tfc": {"sizes": [16, 8]},
    "cnv": {"stages": [[4, 4], [8]], "hidden": [16]},
    "resnet": {"channels": 4},
    "mobile": {"width": 0.25},
}
# Too deep to learn anything in a dozen steps on four pixels: one step, and the published sizes.
DEEP = {
    "resnet18": {"channels": 4},
    "mobilenet_v2": {"width": 0.1, "head": 32},
    "efficientnet_lite0": {"width": 0.1, "head": 32},
    "squeezenext": {"width": 0.25},
}
CONFIGS = {
    "u3": QuantConfig(),
    "per_channel": QuantConfig(per_channel=True, power_of_two_step=True),
    "fixed": QuantConfig(quantiser="fixed", weight_bits=2, act_bits=2),
    "binary": QuantConfig(weight_bits=1, act_bits=1, binary_act="bipolar"),
}


def test_every_family_is_tried():
    assert {*SMALL, *DEEP} == set(MODELS)


@pytest.mark.parametrize("name", DEEP)
def test_deep_families_run_forwards_and_backwards(name):
    torch.manual_seed(0)
    model = build_model(name, (3, 32, 32), 4, QuantConfig(), **DEEP[name])
    x = torch.randint(0, 256, (2, 3, 32, 32)) / 255
    nn.functional.cross_entropy(model(x), torch.tensor([0, 3])).backward()
    weights = [p for n, p in model.named_parameters() if n.endswith("weight")]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in weights)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_every_family_learns(name, config):
    torch.manual_seed(0)
    model = build_model(name, (1, 8, 8), 4, config, **SMALL[name])
    x, y = torch.randint(0, 256, (32, 1, 8, 8)) / 255, torch.arange(32) % 4
    losses = learn(model, x, y, 12)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert sum(losses[-3:]) < sum(losses[:3])


def test_layer_sizes_are_those_of_finns_networks():
    tfc = build_model("tfc", (1, 28, 28), 10, QuantConfig())
    assert _weights(tfc) == [784 * 64, 64 * 64, 64 * 64, 640]
    cnv = build_model("cnv", (3, 32, 32), 10, QuantConfig())
    kernels = [3 * 64, 64 * 64, 64 * 128, 128 * 128, 128 * 256, 256 * 256]
    assert _weights(cnv) == [9 * k for k in kernels] + [256 * 512, 512 * 512, 5120]
    half = build_model("cnv", (3, 32, 32), 10, QuantConfig(), width=0.5)
    assert _weights(half)[1] == 9 * 32 * 32


def _weights(model: nn.Module) -> list[int]:
    return [h.numel for h in handles(model) if h.role == "weight"]


def test_depthwise_layers_have_one_kernel_per_channel():
    model = build_model("mobile", (3, 16, 16), 10, QuantConfig())
    layer = model.get_submodule("blocks.1.depthwise")
    assert layer.groups == layer.in_channels == layer.weight.shape[0]


@pytest.mark.parametrize(
    ("name", "shape", "options", "words"),
    [
        ("resnet", (1, 8, 8), {"depth": 9}, "depth 8, 14, 20"),
        ("squeezenext", (3, 32, 32), {"version": "24"}, "one of 23, 23v5, not '24'"),
        ("cnv", (1, 8, 8), {"padding": 0}, "too small"),
        ("tfc", (1, 8, 8), {"depth": 3}, "no option depth; it takes sizes"),
        ("vgg", (1, 8, 8), {}, "built in are tfc, cnv, resnet, resnet18, mobile"),
    ],
)
def test_impossible_networks_are_refused(name, shape, options, words):
    with pytest.raises(BadInput, match=words):
        build_model(name, shape, 10, QuantConfig(), **options)
