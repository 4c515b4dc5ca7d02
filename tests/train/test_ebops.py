"""EBOPs: the sum by hand, its gradient, and what its price does to a network."""

from __future__ import annotations

import math

import msgspec
import pytest
import torch
from torch import nn

from codesign.models.registry import build_model
from codesign.quant import LayerBits, QuantConfig
from codesign.quant.handles import handles
from codesign.recipe import BoardSpec, BudgetSpec, DataSpec, ModelSpec, Recipe, TrainSpec
from codesign.recipe.procedures import EbopsSpec
from codesign.train.ebops import EbopsPrice, ebops
from codesign.train.export import check_export, export_qonnx
from codesign.train.training import train_recipe

RECIPE = Recipe(
    model=ModelSpec("tfc", options={"sizes": [16]}),
    data=DataSpec(train_limit=1000),
    quant=QuantConfig(6, 6, weight_quantiser="hgq-each", act_quantiser="hgq"),
    train=TrainSpec(epochs=4, batch=50, lr=0.01, quantiser_lr=0.05),
    ebops=EbopsSpec(beta=1e-4, first_beta=1e-6),
    board=BoardSpec("pynq-z2"),
)


def test_the_sum_by_hand_without_signs():
    config = QuantConfig(
        3, 4, quantiser="fixed", layers={"fc2": LayerBits(weight=1), "act2": LayerBits(act=2)}
    )
    model = build_model("tfc", (1, 4, 4), 3, config, sizes=[5, 6])
    # Pixels have 8 bits; 3-bit weights have 2 without sign; -1 and +1 count as 1.
    expected = 8 * (16 * 5) * 2 + 4 * (5 * 6) * 1 + 2 * (6 * 3) * 2
    assert float(ebops(handles(model))) == expected


def test_its_gradient_is_that_of_the_widths():
    config = QuantConfig(4, 4, quantiser="hgq")
    model = build_model("tfc", (1, 4, 4), 3, config, sizes=[5])
    model(torch.rand(8, 1, 4, 4))
    found = {h.name: h for h in handles(model) if h.role != "input"}
    ebops(handles(model)).backward()
    first, act = found["fc1"].quantiser, found["act1"].quantiser
    # dE/df of fc1: 8 bits of the pixels times its weights; df = -dd / (d ln2).
    slope = -float(first.step.grad) * float(first.step) * math.log(2)
    assert slope == pytest.approx(8 * 16 * 5, rel=1e-4)
    slope = -float(act.step.grad) * float(act.step) * math.log(2)
    assert slope == pytest.approx(5 * 3 * 3, rel=1e-4)


def test_beta_rises_by_equal_factors():
    price = EbopsPrice(EbopsSpec(beta=1e-4, first_beta=1e-8), handles(nn_model()))
    betas = []
    for price.progress in (0.0, 0.5, 1.0):
        betas.append(price.beta)
    assert betas == pytest.approx([1e-8, 1e-6, 1e-4])


def nn_model() -> nn.Module:
    return build_model("tfc", (1, 4, 4), 3, QuantConfig(quantiser="hgq"), sizes=[5])


def test_a_price_makes_the_network_cheaper_and_it_still_exports(tmp_path):
    cheap = train_recipe(RECIPE, tmp_path)
    cost = float(ebops(cheap.handles))
    # It began with 5 bits and a sign behind pixels of 5 bits and activations of 6.
    assert cost < 0.6 * (5 * 64 * 16 * 5 + 6 * 16 * 10 * 5)
    assert f"{cost:,.0f}" in cheap.remark
    assert cheap.test_accuracy > 0.7
    x = torch.randint(0, 17, (40, *cheap.data.input_shape)) / 16
    path = export_qonnx(cheap.model, cheap.data.input_shape, tmp_path / "m.onnx", x[:4]).path
    assert check_export(cheap.model, path, x).is_same


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budget": BudgetSpec(weights_kib=10)}, "left out with a budget"),
        ({"train": TrainSpec(procedure="local")}, "left out with a budget or another procedure"),
    ],
)
def test_a_price_stands_alone(change, words):
    with pytest.raises(ValueError, match=words):
        msgspec.structs.replace(RECIPE, **change)


@pytest.mark.parametrize("fields", [{"beta": -1.0}, {"beta": 1e-3, "first_beta": 1e-2}])
def test_prices_that_cannot_be_are_refused(fields):
    with pytest.raises(ValueError, match="beta"):
        EbopsSpec(**fields)
