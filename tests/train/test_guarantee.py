"""Whatever pulls the widths down, after projection every memory budget holds, bit by bit."""

from __future__ import annotations

import msgspec
import pytest

from codesign.cli import main
from codesign.quant.config import QuantConfig
from codesign.recipe import BoardSpec, BudgetSpec, DataSpec, ModelSpec, Recipe, TrainSpec
from codesign.train.training import Trained, train_recipe

change = msgspec.structs.replace

RECIPE = Recipe(
    model=ModelSpec("tfc", options={"sizes": [24, 16]}),
    data=DataSpec("digits", limit=200),
    quant=QuantConfig(5, 5),
    train=TrainSpec(epochs=2, finetune_epochs=1, batch=32, lr=5e-3, device="cpu"),
    board=BoardSpec("pynq-z2"),
)
# 64 * 24 + 24 * 16 + 16 * 10 weights; 24 and 16 activations. Limits in bits.
LIMITS = {
    "weights_kib": 2080 * 2.5,
    "activations_sum_kib": 24 * 2 + 16 * 3,
    "activations_max_kib": 50,
}


def bits_of(trained: Trained) -> dict[str, int]:
    sizes = [(h.role, h.numel * h.integer_bits()) for h in trained.handles]
    return {
        "weights_kib": sum(bits for role, bits in sizes if role == "weight"),
        "activations_sum_kib": sum(bits for role, bits in sizes if role == "act"),
        "activations_max_kib": max(bits for role, bits in sizes if role == "act"),
    }


@pytest.mark.parametrize("penalty", ["hinge", "dual"])
@pytest.mark.parametrize(
    "keys",
    [
        ("weights_kib",),
        ("weights_kib", "activations_sum_kib"),
        ("weights_kib", "activations_max_kib"),
    ],
)
def test_8a_8b_and_8c_hold_in_the_end(tmp_path, penalty, keys):
    limits = {key: LIMITS[key] / 8192 for key in keys}
    recipe = change(RECIPE, budget=BudgetSpec(penalty=penalty, **limits))
    trained = train_recipe(recipe, tmp_path)
    assert trained.projection.fits
    assert all(bits_of(trained)[key] <= LIMITS[key] for key in keys)


def test_powers_of_two_are_projected_no_further_than_they_go(tmp_path):
    """Their activations have 2 bits at least, one of them for zero."""
    quant = QuantConfig(4, 4, quantiser="u3", act_quantiser="p3")
    budget = BudgetSpec(activations_sum_kib=40 * 2 / 8192)
    trained = train_recipe(change(RECIPE, quant=quant, budget=budget), tmp_path)
    assert trained.projection.fits
    assert bits_of(trained)["activations_sum_kib"] == 80


RECIPE_TEXT = """
[model]
name = "tfc"
options = { sizes = [24, 16] }
[data]
name = "digits"
limit = 200
[board]
name = "pynq-z2"
"""


@pytest.mark.parametrize(
    ("section", "words"),
    [
        # 2,080 weights of 2 bits are 0.5078 KiB; the larger activation is 24 elements of 1 bit.
        ("[budget]\nweights_kib = 0.5\n", "needs 0.5078 KiB even at the narrowest widths"),
        ("[budget]\npenalty = 'hinge'\nactivations_max_kib = 0.002\n", "needs 0.00293 KiB"),
        ("[budget]\npenalty = 'hinge'\nboard = true\n", "false for a hinge"),
        ("[quant]\nquantiser = 'fixed'\n[budget]\nweights_kib = 1\n", "needs 1.016 KiB"),
        (
            "[train]\nprocedure = 'limpq'\n[quant]\nquantiser = 'fixed'\n[budget]\nweights_kib = 0.5\n",
            "needs 0.5078 KiB",
        ),
    ],
)
def test_budgets_that_no_widths_meet_end_in_a_sentence(tmp_path, capsys, section, words):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE_TEXT + section)
    assert main(["train", str(path), "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert words in err
    assert "Traceback" not in err
    assert not (tmp_path / "out" / "checkpoint.pt").exists()
