"""The procedures niti and local from recipe to integers, stopped and resumed."""

from __future__ import annotations

import msgspec
import pytest
import torch

from codesign.errors import BadInput, Diverged
from codesign.graph.load import import_model
from codesign.recipe import load_recipe
from codesign.train.loop import Trainer
from codesign.train.pipeline import run_recipe
from codesign.train.reload import trained_model
from codesign.train.stages import check_model, export_model
from codesign.train.training import train_recipe
from tests.train.stopping import assert_same, stopped_and_resumed

change = msgspec.structs.replace


def short(name: str, **train: object):
    """A shipped recipe with a smaller network and fewer epochs."""
    recipe = load_recipe(name)
    model = change(recipe.model, name="tfc", options={"sizes": [32]})
    return change(recipe, model=model, train=change(recipe.train, **train))


RECIPES = {
    "niti": short("digits_niti_pynq-z2", epochs=4),
    "local": short("digits_local_pynq-z2", epochs=4),
}


@pytest.mark.parametrize("name", RECIPES)
def test_from_recipe_to_integers(name, tmp_path):
    result = run_recipe(RECIPES[name], tmp_path, quiet=True, steps=("train",))
    assert result.trained.test_accuracy > 0.7
    losses = [epoch.train_loss for epoch in result.trained.history]
    assert losses[-1] < losses[0] and len(losses) == 4
    model, data = trained_model(tmp_path)
    export_model(model, data, tmp_path)
    graph = import_model(tmp_path / "model.onnx")
    checks = check_model(model, data, tmp_path, graph)
    assert checks.integer_mismatches == 0
    assert checks.integer_accuracy == result.trained.test_accuracy


@pytest.mark.parametrize("name", RECIPES)
def test_resumed_as_if_it_had_not_stopped(name, tmp_path):
    whole = train_recipe(RECIPES[name], tmp_path / "whole")
    again = stopped_and_resumed(RECIPES[name], tmp_path / "cut", 2)
    assert_same(again, whole)
    assert [e.lr for e in again.history] == [e.lr for e in whole.history]


def test_gradients_get_fewer_bits_as_the_recipe_says(tmp_path):
    assert [e.lr for e in train_recipe(RECIPES["niti"], tmp_path).history] == [5, 5, 4, 3]


def test_a_spoiled_block_is_named_and_the_checkpoint_kept(tmp_path):
    real = Trainer._epoch

    def epoch(self: Trainer, stage: object) -> None:
        if self.done == 1:
            with torch.no_grad():
                self.model.fc1.weight[0, 0] = float("nan")
        real(self, stage)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_epoch", epoch)
        with pytest.raises(Diverged, match="epoch 2, step 1.*fc1.*checkpoint"):
            train_recipe(RECIPES["local"], tmp_path)
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert kept["epoch"] == 1
    assert all(torch.isfinite(v).all() for v in kept["model"].values() if v.is_floating_point())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("procedure='niti'\n[quant]\nact_bits = 4", "8 for procedure niti"),
        ("procedure='niti'\nfinetune_epochs=1\n[quant]\nact_bits = 8", "0 for procedure niti"),
        ("procedure='niti'\n[quant]\nact_bits = 8\n[budget]\nweights_kib = 1", "left out for"),
        ("procedure='niti'\n[quant]\nact_bits = 8\n[niti]\nupdate_bits = [9]", "1 to 7 bits"),
        (
            "procedure='niti'\n[quant]\nact_bits = 8\n[niti]\nupdate_from = [0.0]",
            "as many as update_bits",
        ),
        ("procedure='local'\noptimiser='sgd'", "adam for procedure local"),
        ("procedure='local'\n[local]\nloss='simpred'", "one of pred, sim, predsim"),
        ("procedure='nity'", "niti"),
    ],
)
def test_mistakes_in_a_recipe(tmp_path, text, words):
    path = tmp_path / "bad.toml"
    path.write_text(f"[model]\nname='tfc'\n[board]\nname='pynq-z2'\n[train]\n{text}\n")
    with pytest.raises(BadInput, match=words):
        load_recipe(path)


def test_integers_of_one_bit_are_refused(tmp_path):
    recipe = RECIPES["niti"]
    recipe = change(recipe, quant=change(recipe.quant, weight_bits=1))
    with pytest.raises(BadInput, match="fc1: integer training has weights of 2 to 8 bits, not 1"):
        train_recipe(recipe, tmp_path)
