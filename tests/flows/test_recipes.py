"""Recipes: the shipped ones are legal, mistakes name file, key and cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.cli import main
from codesign.errors import BadInput
from codesign.memory.of_module import size_of_module
from codesign.models.registry import MODELS
from codesign.recipe import load_recipe, recipe_names

PLAIN = """
[model]
name = "tfc"
[board]
name = "pynq-z2"
"""


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipe_is_legal(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.title
    assert recipe.steps[0] == "train"


def test_the_board_of_the_imagenet_recipe_holds_its_weights() -> None:
    """On chip: blocks of 18 and of 288 Kbit (UG573)."""
    recipe = load_recipe("imagenet_resnet18_u250")
    shape = (3, recipe.data.image_size, recipe.data.image_size)
    size = size_of_module(MODELS[recipe.model.name](shape, 1000), shape)
    bits = sum(w.weights * recipe.quant.weight_bits_of(w.name) for w in size.weighted)
    ram = recipe.board.load().budget().ram
    assert bits > 40e6
    assert bits < 1024 * (18 * ram["BRAM18"] + 288 * ram["URAM"])


def test_defaults_run_every_step(tmp_path: Path) -> None:
    path = tmp_path / "plain.toml"
    path.write_text(PLAIN)
    recipe = load_recipe(path)
    assert recipe.steps[-1] == "report"
    assert recipe.quant.weight_bits == 4
    assert recipe.with_seed(7).train.seed == 7


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_out_of_range_is_refused(tmp_path: Path, seed: int) -> None:
    assert main(["run", "digits_pynq-z2", "--seed", str(seed), "--out", str(tmp_path / "r")]) == 2
    assert not (tmp_path / "r").exists()


def test_share_and_clock_shape_the_board(tmp_path: Path) -> None:
    path = tmp_path / "share.toml"
    path.write_text(PLAIN + "share = 0.1\nclock_hz = 50e6\n")
    board = load_recipe(path).board.load()
    # xc7z020: 53,200 LUTs and 280 BRAM18 (DS190), a tenth of each.
    assert board.resources.lut == 5320
    assert board.resources.ram["BRAM18"] == 28
    assert board.clock_hz == 50e6


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[trian]\nepochs = 1", ("trian", "train")),
        ("[train]\nepoch = 1", ("train.epoch", "epochs")),
        ("[train]\nepochs = 0", ("epochs", "at least 1", "0")),
        ("[train]\nlr = 'fast'", ("train.lr", "float", "fast")),
        ("[train]\nlr = nan", ("train.lr", "finite", "nan")),
        ("[train]\nwarmup_epochs = inf", ("train.warmup_epochs", "finite", "inf")),
        ("clock_hz = inf", ("board.clock_hz", "finite", "inf")),
        ("[inq]\nportions = [0.5, inf]", ("inq.portions.1", "finite")),
        ("[train]\nfinetune_lr = -1.0", ("train.finetune_lr", "over 0", "-1.0")),
        ("[data]\ntrain_limit = 0", ("data.train_limit", "at least 1")),
        ("[data]\nimage_size = 0", ("data.image_size", "at least 8")),
        ("[train]\noptimiser = 'adma'", ("optimiser", "adam", "adma")),
        ("[data]\naugment = ['flop']", ("augment", "flip", "flop")),
        ("[data]\nvalidation_fraction = 1.5", ("validation_fraction", "1.5")),
        ("[quant]\nweight_bits = 9", ("weight_bits", "9")),
        ("[quant]\nweigth_bits = 4", ("weigth_bits", "weight_bits")),
        ("[budget]\nweights_kib = -2", ("weights_kib", "over 0")),
        ("[budget]\nrho = 0", ("rho", "over 0")),
        ("[target]\nfps = 10\nlatency_s = 1e-3", ("fps", "latency_s")),
        ("[target]\nfps = 'many'", ("target.fps", "many")),
        ("[train", ("not a TOML file",)),
    ],
)
def test_mistake_names_file_key_and_cure(tmp_path: Path, text: str, words: tuple) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(PLAIN + text)
    with pytest.raises(BadInput) as caught:
        load_recipe(path)
    for word in (str(path), *words):
        assert word in caught.value.message


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("['train', 'table']", ("lower", "table")),
        ("['trian']", ("trian", "train")),
        ("['export', 'train']", ("order", "train, export")),
    ],
)
def test_steps_must_have_what_they_need(tmp_path: Path, steps: str, words: tuple) -> None:
    path = tmp_path / "steps.toml"
    path.write_text(f"steps = {steps}\n" + PLAIN)
    with pytest.raises(BadInput) as caught:
        load_recipe(path)
    assert all(word in caught.value.message for word in words)


def test_unknown_board_and_unknown_recipe(tmp_path: Path) -> None:
    path = tmp_path / "board.toml"
    path.write_text(PLAIN.replace("pynq-z2", "pynk-z2"))
    with pytest.raises(BadInput, match=r"board\.toml.*pynk-z2.*pynq-z2"):
        load_recipe(path)
    with pytest.raises(BadInput, match="neither a .toml file nor a shipped recipe"):
        load_recipe("no-such-recipe")
    with pytest.raises(BadInput, match="cannot be read"):
        load_recipe(tmp_path / "absent.toml")


def test_missing_board_is_named(tmp_path: Path) -> None:
    path = tmp_path / "short.toml"
    path.write_text('[model]\nname = "tfc"\n')
    with pytest.raises(BadInput, match="'board' is missing"):
        load_recipe(path)
