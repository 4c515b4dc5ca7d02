"""The memory model against published tables, and its formulas against counted networks."""

from __future__ import annotations

import pytest
from torch import nn

from codesign.memory.of_module import size_of_module
from codesign.memory.published import TABLES
from codesign.memory.width import largest_activation, original_bits, parameters
from codesign.models.registry import MODELS
from codesign.models.resnet import ResNet

IMAGE = (3, 224, 224)


@pytest.mark.parametrize("name", ["width", "training", "dq3"])
def test_every_printed_number_is_met(name):
    assert TABLES[name]().differing() == ()


def test_the_imagenet_table_is_met_within_one_percent():
    table = TABLES["dq4"]()
    for row in table.rows:
        assert row.computed == pytest.approx(row.printed, rel=0.01)
    assert {row.name for row in table.differing()} == {"MobileNetV2 32/32", "ResNet-18 32/32"}


@pytest.mark.parametrize("k", [1, 4, 7, 16])
def test_the_width_formulas_count_the_network(k):
    shape = (3, 32, 32)
    model = ResNet(shape, 10, depth=20, channels=k, shortcut="widen", logits_bias=True)
    size = size_of_module(model, shape)
    assert parameters(k) == size.parameters == sum(p.numel() for p in model.parameters())
    assert largest_activation(k) == max(size.hidden)


def test_the_original_memory_is_that_of_the_slides():
    assert original_bits() == 9_155_392


# torchvision's model tables (ResNet-18, MobileNetV2); for EfficientNet-Lite0 the authors' 4.7 M
# parameters, and the products of a PyTorch edition of it (d-li14/efficientnet-lite.pytorch).
@pytest.mark.parametrize(
    ("name", "published_parameters", "published_macs"),
    [
        ("resnet18", 11_689_512, 1.814e9),
        ("mobilenet_v2", 3_504_872, 0.301e9),
        ("efficientnet_lite0", 4_652_008, 0.385e9),
    ],
)
def test_imagenet_networks_have_their_published_sizes(name, published_parameters, published_macs):
    size = size_of_module(MODELS[name](IMAGE, 1000), IMAGE)
    assert size.parameters == published_parameters
    assert size.macs == pytest.approx(published_macs, rel=0.005)


def test_efficientnet_lite0_has_the_operations_that_its_authors_count():
    """407 M, which hold bias, norm and activation of each output beside the products."""
    size = size_of_module(MODELS["efficientnet_lite0"](IMAGE, 1000), IMAGE)
    outputs = sum(layer.outputs for layer in size.layers if layer.kind == "norm")
    assert size.macs + 3 * outputs == pytest.approx(407e6, rel=0.005)


# Budgets of FDQMP are multiples of these, in kB: one bit for each weight, and one for each input of
# a layer but the image (Schaefer et al., WACV 2024; SqueezeNext in the authors' configurations).
@pytest.mark.parametrize(
    ("name", "options", "weights_kb", "activations_kb"),
    [
        ("efficientnet_lite0", {}, 577, 835),
        ("squeezenext", {"width": 2.0, "version": "23"}, 321, 893),
    ],
)
def test_budgets_of_fdqmp_tell_its_networks(name, options, weights_kb, activations_kb):
    model = MODELS[name](IMAGE, 1000, **options).eval()
    read: list[int] = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_pre_hook(lambda _, inputs: read.append(inputs[0].numel()))
    weights = size_of_module(model, IMAGE).weights  # which runs the model once
    assert weights / 8000 == pytest.approx(weights_kb, rel=0.01)
    assert sum(read[1:]) / 8000 == pytest.approx(activations_kb, rel=0.001)


# The table of the imgclsmob model zoo, which trained them: its parameters count a bias for each
# convolution, which the norm behind it makes idle, and its products also bias, norm and ReLU of
# each output.
@pytest.mark.parametrize(
    ("version", "width", "published_parameters", "published_macs"),
    [
        ("23", 1.0, 724_056, 287.28e6),
        ("23", 1.5, 1_511_824, 552.39e6),
        ("23", 2.0, 2_583_752, 898.48e6),
        ("23v5", 1.0, 921_816, 285.82e6),
        ("23v5", 2.0, 3_366_344, 897.60e6),
    ],
)
def test_squeezenext_has_its_published_sizes(version, width, published_parameters, published_macs):
    size = size_of_module(MODELS["squeezenext"](IMAGE, 1000, width, version), IMAGE)
    biases = sum(layer.parameters for layer in size.layers if layer.kind == "norm") // 2
    assert size.parameters + biases == published_parameters
    outputs = sum(layer.outputs for layer in size.layers if layer.kind == "norm")
    assert size.macs + 3 * outputs == pytest.approx(published_macs, rel=0.005)


def test_resnet20_has_its_published_size():
    """0.27 M parameters (He et al., CVPR 2016, table 6) and 41 M products."""
    size = size_of_module(ResNet((3, 32, 32), 10, depth=20, shortcut="widen"), (3, 32, 32))
    assert round(size.parameters / 1e6, 2) == 0.27
    assert round(size.macs / 1e6) == 41
