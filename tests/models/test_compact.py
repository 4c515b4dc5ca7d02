"""Compact layers: ranks, decompositions, and networks of them from recipe to integers."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch
from torch import nn

from codesign.errors import BadInput
from codesign.graph.load import import_model
from codesign.models.compact.apply import compacted
from codesign.models.compact.decompose import cp_factors, cp_sum, svd_factors
from codesign.models.compact.layers import cp_convolution, pruned, svd_affine, svd_convolution
from codesign.models.compact.ranks import (
    cp_convolution_rank,
    svd_affine_rank,
    svd_convolution_rank,
)
from codesign.models.quantise import quantise
from codesign.models.registry import MODELS, build_model
from codesign.quant.config import LayerBits, QuantConfig
from codesign.recipe import BoardSpec, ModelSpec, Recipe, load_recipe
from codesign.recipe.compact import CompactSpec
from codesign.train.stages import check_model, export_model
from codesign.train.training import train_recipe

change = msgspec.structs.replace


def test_ranks_are_nnablas():
    # 1000 x 500 at CR 0.5: 250,000 weights over 1,500 a rank.
    assert svd_affine_rank(1000, 500, 0.5) == 166
    # 64 x 32 x 3x3 at CR 0.6: 0.4 * 18,432 = 7,372.8 over 32 (64 + 9) and over 64 + 32 + 9.
    assert svd_convolution_rank(64, 32, 9, 0.6) == 3
    assert cp_convolution_rank(64, 32, 9, 0.6) == 70
    with pytest.raises(BadInput, match=r"ratio of 0.99 leaves this layer no rank \(0.32\)"):
        svd_affine_rank(64, 64, 0.99)


@pytest.mark.parametrize(("outputs", "inputs", "kernel"), [(16, 12, 9), (40, 3, 25), (8, 64, 9)])
@pytest.mark.parametrize("ratio", [0.3, 0.5])
def test_a_rank_keeps_at_most_the_weights_that_the_ratio_leaves(outputs, inputs, kernel, ratio):
    left = (1 - ratio) * outputs * inputs * kernel
    rank = cp_convolution_rank(outputs, inputs, kernel, ratio)
    assert rank * (outputs + inputs + kernel) <= left < (rank + 1) * (outputs + inputs + kernel)
    rank = svd_convolution_rank(outputs, inputs, kernel, ratio)
    assert rank * inputs * (outputs + kernel) <= left


def test_svd_has_the_least_error_of_its_rank():
    matrix = np.random.default_rng(0).standard_normal((12, 9))
    values = np.linalg.svd(matrix, compute_uv=False)
    for rank in (1, 4, 9, 11):
        u, v = svd_factors(matrix, rank)
        assert u.shape == (12, rank)
        error = np.linalg.norm(matrix - u @ v)
        assert error == pytest.approx(np.sqrt((values[rank:] ** 2).sum()), abs=1e-10)


def test_cp_is_exact_at_full_rank_and_better_with_every_rank():
    rng = np.random.default_rng(1)
    tensor = rng.standard_normal((6, 4, 9))
    errors = [
        np.linalg.norm(tensor - cp_sum(cp_factors(tensor, rank))) / np.linalg.norm(tensor)
        for rank in (2, 8, 16, 24)
    ]
    assert errors == sorted(errors, reverse=True)
    # Any 6 x 4 x 9 tensor is a sum of 6 * 4 = 24 outer products.
    assert errors[-1] < 1e-8
    made = cp_sum([rng.standard_normal((size, 3)) for size in (6, 4, 9)])
    assert np.linalg.norm(made - cp_sum(cp_factors(made, 3))) < 0.1 * np.linalg.norm(made)


def layer(kind, **options):
    torch.manual_seed(2)
    return nn.Linear(10, 7) if kind == "linear" else nn.Conv2d(4, 6, 3, **options)


@pytest.mark.parametrize(
    ("kind", "make", "full", "low", "options"),
    [
        ("linear", svd_affine, 7, 3, {}),
        ("conv", svd_convolution, 6, 2, {"stride": 2, "padding": 1}),
        ("conv", cp_convolution, 24, 5, {"padding": 1, "dilation": 2}),
        ("conv", svd_convolution, 6, 2, {"padding": 1, "padding_mode": "circular"}),
    ],
)
def test_a_layer_of_full_rank_is_the_layer(kind, make, full, low, options):
    given = layer(kind, **options)
    x = torch.randn(3, 10) if kind == "linear" else torch.randn(3, 4, 9, 8)
    with torch.no_grad():
        expected = given(x)
        assert torch.allclose(make(given, full)(x), expected, atol=1e-4)
        error = (make(given, low)(x) - expected).norm() / expected.norm()
    assert 1e-3 < error < 1


def test_pruned_weights_stay_zero_while_training_and_behind_quantisers():
    given = pruned(layer("linear"), 0.5)
    gone = given.weight == 0
    assert int(gone.sum()) == 35
    model = nn.Sequential(nn.Flatten(), given, nn.ReLU(), nn.Linear(7, 3))
    model = quantise(model, QuantConfig(), (10,), 16).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    before = model[1].weight.detach().clone()
    for _ in range(3):
        optimiser.zero_grad()
        model(torch.randint(0, 17, (8, 10)) / 16).square().sum().backward()
        optimiser.step()
    assert (model[1].weight[gone] == 0).all()
    assert not torch.equal(model[1].weight, before)
    assert (model.eval()[1].quant_weight().value[gone] == 0).all()
    assert "1.mask" in model.state_dict()


@pytest.mark.parametrize(
    ("quant", "words"),
    [
        (QuantConfig(weight_bits=1), "'u3' at 1 bit; choose 2 bits or more of u3, fixed"),
        (QuantConfig(layers={"fc1": LayerBits(weight=1)}), "fc1 is pruned, .* at 1 bit;"),
        (QuantConfig(weight_quantiser="dorefa"), "'dorefa' at 4 bits"),
    ],
)
def test_weights_that_are_never_zero_cannot_be_pruned(quant, words):
    specs = {"fc1": CompactSpec("prune")}
    with pytest.raises(BadInput, match=words):
        Recipe(model=ModelSpec("tfc", compact=specs), quant=quant, board=BoardSpec("pynq-z2"))
    with pytest.raises(BadInput, match=words):
        build_model("tfc", (1, 8, 8), 10, quant, compact=specs)


def test_a_layer_below_a_pruned_module_counts():
    model = ModelSpec("cnv", compact={"features": CompactSpec("prune")})
    quant = QuantConfig(layers={"features.conv2": LayerBits(weight=1)})
    with pytest.raises(BadInput, match=r"features\.conv2 is pruned"):
        Recipe(model=model, quant=quant, board=BoardSpec("pynq-z2"))


def test_compact_layers_keep_their_place():
    model = MODELS["cnv"]((3, 16, 16), 10, stages=((8, 8), (16,)), hidden=(32,))
    specs = {
        "features": CompactSpec("svd", 0.4),
        "features.conv2": CompactSpec("cp", 0.4),
        "classifier.fc1": CompactSpec("svd", 0.8),
    }
    whole = sum(p.numel() for p in model.features.conv3.parameters())
    compacted(model, specs)
    assert [*model.features.conv2._modules] == ["down", "between", "depthwise", "behind", "up"]
    assert model.features.conv3.depthwise.groups == 8
    parts = sum(p.numel() for p in model.features.conv3.parameters())
    assert parts <= 0.6 * whole
    assert isinstance(model.classifier.logits, nn.Linear)
    assert model(torch.zeros(2, 3, 16, 16)).shape == (2, 10)


def test_weights_come_from_the_checkpoint_of_the_whole_network(tmp_path):
    torch.manual_seed(3)
    trained = MODELS["tfc"]((1, 8, 8), 10, sizes=(16,))
    torch.save(trained.state_dict(), tmp_path / "float.pt")
    torch.manual_seed(4)
    model = build_model(
        "tfc",
        (1, 8, 8),
        10,
        QuantConfig(),
        16,
        tmp_path / "float.pt",
        {"fc1": CompactSpec("svd", 0.3)},
        sizes=(16,),
    )
    found = (model.fc1.up.weight @ model.fc1.down.weight).detach().numpy()
    u, v = svd_factors(trained.fc1.weight.detach().double().numpy(), 8)
    assert np.allclose(found, u @ v, atol=1e-5)


METHODS = {
    "svd": {"features": CompactSpec("svd", 0.3), "classifier": CompactSpec("svd", 0.3)},
    "cp": {"features.conv2": CompactSpec("cp", 0.3)},
    "separable": {"features.conv2": CompactSpec("separable")},
    "prune": {"features": CompactSpec("prune", 0.6)},
}


@pytest.mark.parametrize("method", METHODS)
def test_from_recipe_to_integers(method, tmp_path):
    recipe = load_recipe("digits_pynq-z2")
    model = change(recipe.model, compact=METHODS[method])
    spec = change(recipe.train, epochs=1, finetune_epochs=0)
    data = change(recipe.data, limit=200)
    recipe = change(recipe, model=model, train=spec, data=data, budget=type(recipe.budget)())
    trained = train_recipe(recipe, tmp_path)
    export_model(trained.model, trained.data, tmp_path)
    graph = import_model(tmp_path / "model.onnx")
    checks = check_model(trained.model, trained.data, tmp_path, graph)
    assert checks.integer_mismatches <= checks.export.tied_classes + checks.export.float_flips
    again = train_recipe(recipe, tmp_path, resume=True)
    assert again.test_accuracy == trained.test_accuracy


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        ({"fc9": CompactSpec("svd")}, "'fc9', which is or holds no Linear or Conv2d"),
        ({"fc1": CompactSpec("cp")}, "fc1, compact by cp: it is a Linear"),
        ({"logits": CompactSpec("svd", 0.99)}, "logits, compact by svd: .* no rank"),
    ],
)
def test_layers_that_cannot_be_compact(specs, words):
    with pytest.raises(BadInput, match=words):
        build_model("tfc", (1, 8, 8), 10, QuantConfig(), compact=specs, sizes=(16,))


@pytest.mark.parametrize(
    ("text", "words"), [("method='svt'", "one of svd, cp"), ("method='cp'\nratio=1.0", "ratio")]
)
def test_mistakes_in_a_recipe(tmp_path, text, words):
    path = tmp_path / "bad.toml"
    path.write_text(f"[model]\nname='tfc'\n[model.compact.fc1]\n{text}\n[board]\nname='pynq-z2'\n")
    with pytest.raises(BadInput, match=words):
        load_recipe(path)
