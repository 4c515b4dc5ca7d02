"""Distillation: the published loss by hand, each kind of teacher, and what is refused."""

from __future__ import annotations

import math

import msgspec
import pytest
import torch

from codesign.errors import BadInput
from codesign.recipe import load_recipe
from codesign.recipe.procedures import DistilSpec
from codesign.train.build import recipe_data, recipe_model
from codesign.train.distil import distil, distilled, float_recipe
from codesign.train.loop import Trainer
from codesign.train.objective import labelled
from codesign.train.pipeline import run_recipe
from codesign.train.training import train_recipe
from tests.train.stopping import assert_same, stopped_and_resumed

change = msgspec.structs.replace
WHOLE = load_recipe("digits_distil_pynq-z2")
RECIPE = change(
    WHOLE,
    model=change(WHOLE.model, name="tfc", options={"sizes": [24]}),
    train=change(WHOLE.train, epochs=3),
    distil=change(WHOLE.distil, epochs=2),
)


def test_the_loss_is_that_of_a_hand_computation():
    logits, soft, y = [1.0, -0.5, 0.25], [2.0, 0.0, -1.0], 2
    spec = DistilSpec(teacher="float", temperature=2.5, weight=0.3)

    def probabilities(z: list[float], t: float) -> list[float]:
        e = [math.exp(v / t) for v in z]
        return [v / sum(e) for v in e]

    p, q = probabilities(soft, 2.5), probabilities(logits, 2.5)
    apart = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
    expected = 0.7 * -math.log(probabilities(logits, 1.0)[y]) + 0.3 * 2.5**2 * apart
    given = torch.nn.Linear(1, 3)
    given.weight.data.copy_(torch.tensor(soft)[:, None])
    given.bias.data.zero_()
    loss = distilled(given, spec, labelled(0.0))
    found = loss(torch.ones(1, 1), torch.tensor([logits]), torch.tensor([y]))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_a_float_teacher_is_trained_once_and_moves_the_student(tmp_path):
    taught = train_recipe(RECIPE, tmp_path)
    assert (tmp_path / "teacher" / "checkpoint.pt").exists()
    alone = train_recipe(change(RECIPE, distil=DistilSpec()), tmp_path / "alone")
    assert not torch.equal(taught.model.fc1.weight, alone.model.fc1.weight)
    assert taught.test_accuracy > 0.6
    begun = (tmp_path / "teacher" / "checkpoint.pt").stat().st_mtime_ns
    again = train_recipe(RECIPE, tmp_path, resume=True)
    assert (tmp_path / "teacher" / "checkpoint.pt").stat().st_mtime_ns == begun
    assert_same(again, taught)
    # Stopped while the teacher was learning.
    assert_same(stopped_and_resumed(RECIPE, tmp_path / "cut", 1), taught)


def teacher_loss(folder, name: str) -> float:
    """The loss of an untrained student under the teacher `name` alone, by its own objective."""
    recipe = change(RECIPE, distil=DistilSpec(teacher=name, weight=1.0, temperature=1.0))
    data = recipe_data(recipe)
    student = Trainer(recipe_model(recipe, data), data, recipe, folder)
    distil(student)
    x = torch.as_tensor(data.test.x[:16]).float() / 16
    return float(student.objective(x, torch.zeros(16, 10), torch.zeros(16, dtype=torch.long)))


def test_a_folder_and_a_file_are_teachers_too(tmp_path):
    recipe = float_recipe(RECIPE)
    result = run_recipe(recipe, tmp_path / "run", quiet=True, steps=("train",))
    torch.save(result.trained.model.state_dict(), tmp_path / "float.pt")
    by_folder = teacher_loss(tmp_path, str(tmp_path / "run"))
    assert by_folder == pytest.approx(teacher_loss(tmp_path, str(tmp_path / "float.pt")))
    # KL(p || uniform) = log 10 - H(p)
    x = torch.as_tensor(result.trained.data.test.x[:16]).float() / 16
    p = result.trained.model(x).softmax(1).detach()
    expected = math.log(10) + float((p * p.log()).sum(1).mean())
    assert by_folder == pytest.approx(expected, rel=1e-4)


def test_teachers_that_cannot_teach_are_refused(tmp_path):
    other = change(float_recipe(RECIPE), model=change(RECIPE.model, options={"sizes": [16]}))
    made = recipe_model(other, recipe_data(other))
    torch.save(made.state_dict(), tmp_path / "other.pt")
    for name, words in (
        (tmp_path / "none.pt", "not a readable torch checkpoint"),
        (tmp_path / "other.pt", "does not fit"),
        (tmp_path, "cannot be read"),
    ):
        with pytest.raises(BadInput, match=words):
            teacher_loss(tmp_path / "student", str(name))
    path = tmp_path / "bad.toml"
    path.write_text("[model]\nname='tfc'\n[board]\nname='pynq-z2'\n[distil]\nweight = 2.0\n")
    with pytest.raises(BadInput, match=r"distil.weight must be over 0 and at most 1"):
        load_recipe(path)
