"""Progressive precision: widths fall stage by stage, the most unstable layers stop first."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
import torch

from codesign.errors import BadInput
from codesign.recipe import load_recipe
from codesign.train.build import recipe_data, recipe_model
from codesign.train.instability import NOTE, divergence, instability
from codesign.train.loop import Trainer
from codesign.train.training import Trained, train_recipe
from tests.train.stopping import assert_same, stopped_and_resumed

change = msgspec.structs.replace
WHOLE = load_recipe("digits_progressive_pynq-z2")
RECIPE = change(
    WHOLE,
    model=change(WHOLE.model, name="tfc", options={"sizes": [24, 16]}),
    train=change(WHOLE.train, epochs=2),
    progressive=change(
        WHOLE.progressive, widths=(8, 5), step_epochs=1, freeze_rounds=2, freeze_epochs=1
    ),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Trained, list[dict]]:
    """The run, and widths, frozen layers and weights at the beginning of each stage."""
    seen: list[dict] = []
    real = Trainer._begin

    def begin(self: Trainer, stage: object) -> None:
        layers = {n: m for n, m in self.model.named_modules() if hasattr(m, "weight_quant")}
        seen.append(
            {
                "widths": [h.integer_bits() for h in self.handles if h.role != "input"],
                "frozen": {n for n, m in layers.items() if not m.weight.requires_grad},
                "weights": {n: m.weight.detach().clone() for n, m in layers.items()},
            }
        )
        real(self, stage)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trainer, "_begin", begin)
        return train_recipe(RECIPE, tmp_path_factory.mktemp("progressive")), seen


def test_widths_fall_and_the_most_unstable_layers_stop_first(run):
    trained, seen = run
    assert [set(s["widths"]) for s in seen] == [{8}, {5}, {3}, {3}, {3}]
    assert [len(s["frozen"]) for s in seen] == [0, 0, 0, 1, 2]
    assert seen[3]["frozen"] < seen[4]["frozen"]
    found = msgspec.json.decode(trained.notes[NOTE])
    assert seen[3]["frozen"] == {max(found, key=found.get)}
    assert min(found, key=found.get) not in seen[4]["frozen"]
    layers = dict(trained.model.named_modules())
    for name in seen[4]["frozen"]:
        assert torch.equal(layers[name].weight.detach(), seen[4]["weights"][name])
    assert len(trained.history) == RECIPE.total_epochs == 6
    assert trained.test_accuracy > 0.8
    (first,) = seen[3]["frozen"]
    assert f"frozen first, as their weights move their outputs most: {first}" in trained.remark


def test_divergence_is_that_of_normals():
    rng = np.random.default_rng(0)
    old, new = rng.normal(1, 2, (50, 3, 4)), rng.normal(0.5, 3, (50, 3, 4))
    total = 0.0
    for channel in range(3):
        a, b = old[:, channel].ravel(), new[:, channel].ravel()
        total += np.log(b.std() / a.std()) + (a.var() + (a.mean() - b.mean()) ** 2) / (2 * b.var())
        total -= 0.5
    found = divergence(torch.tensor(old), torch.tensor(new))
    assert float(found) == pytest.approx(total / 3)
    assert float(divergence(torch.tensor(old), torch.tensor(old))) == pytest.approx(0, abs=1e-9)


def test_only_the_layer_whose_weights_moved_is_unstable(tmp_path):
    data = recipe_data(RECIPE)
    run = Trainer(recipe_model(RECIPE, data), data, RECIPE, tmp_path)
    run.model.train()(torch.rand(32, 1, 8, 8))
    layers = {n: m for n, m in run.model.named_modules() if hasattr(m, "weight_quant")}
    before = {n: m.weight.detach().clone() for n, m in layers.items()}
    layers["fc2"].weight.data += 0.2
    found = instability(run, before)
    assert found["fc2"] > 0.01
    # Its inputs are the same for both, and layers behind it see the same inputs, too.
    assert found["fc1"] == pytest.approx(0, abs=1e-6)
    assert found["logits"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("stop", [2, 4, 5])
def test_progressive_resumes_as_if_it_had_not_stopped(run, tmp_path, stop):
    assert_same(stopped_and_resumed(RECIPE, tmp_path, stop), run[0])


def test_learned_widths_and_rising_ones_are_refused(tmp_path):
    learned = change(RECIPE, quant=change(RECIPE.quant, quantiser="u3"))
    with pytest.raises(BadInput, match="this quantiser learns them"):
        train_recipe(learned, tmp_path)
    text = "[model]\nname='tfc'\n[board]\nname='pynq-z2'\n[train]\nprocedure='progressive'\n"
    path = tmp_path / "bad.toml"
    for section, words in (
        ("[progressive]\nwidths = [4, 8]\n", "falling widths"),
        ("[budget]\nweights_kib = 1\n", "left out for procedure progressive"),
    ):
        path.write_text(text + section)
        with pytest.raises(BadInput, match=words):
            load_recipe(path)
