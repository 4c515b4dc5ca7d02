"""The scaled protocol that all tables of trained networks share, and how a row of them is measured.

ResNet-8 with 16 channels on CIFAR-10 at 16x16, 10,000 training images, 30 epochs, 3 seeds: about
160 core-seconds a run. It can show the order of methods, not the published errors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import torch

from codesign.bench.frame import Context, Entry, Score
from codesign.errors import Diverged
from codesign.quant.config import LayerBits, QuantConfig
from codesign.recipe import BoardSpec, DataSpec, ModelSpec, Recipe, TrainSpec
from codesign.train.checkpoint import FILE_NAME as CHECKPOINT
from codesign.train.evaluate import accuracy
from codesign.train.history import Epoch
from codesign.train.loop import HOLD, Trainer
from codesign.train.training import Trained, train_recipe

TITLE = "ResNet-8, 16 channels, CIFAR-10 at 16x16, 10,000 training images, 30 epochs, SGD"
SEEDS = 3
NOTE = "test at best validation"
START_FILE = "network.pt"
# 10 classes.
GUESSING_PERCENT = 90.0
SGD = {"optimiser": "sgd", "lr": 0.05, "weight_decay": 2e-4, "warmup_epochs": 1.0}

change = msgspec.structs.replace

FLOAT = QuantConfig(quantiser="float")
# First and last layer at 8 bits whatever the method, as LSQ and most benchmarks have them: logits of
# signs alone do not train.
ENDS = {layer: LayerBits(8, 8, "fixed") for layer in ("stem.conv", "pool_act", "logits")}


@dataclass(frozen=True)
class Job:
    """What a row trains: a recipe, begun from the float network of the same seed or from nothing."""

    recipe: Recipe
    from_float: bool = False


class Best(msgspec.Struct, frozen=True):
    """The epoch with the best validation accuracy so far, and its test accuracy."""

    validation: float
    test: float


def scaled(quant: QuantConfig, **train: object) -> Recipe:
    """The protocol's recipe with `quant`, and with other fields of [train] as given."""
    return Recipe(
        model=ModelSpec("resnet", options={"depth": 8, "channels": 16, "shortcut": "widen"}),
        data=DataSpec(
            "cifar-10", train_limit=10_000, shrink=2, augment=("flip", "crop"), crop_pixels=2
        ),
        quant=quant,
        train=TrainSpec(**{"epochs": 30, "batch": 128, **SGD, **train}),
        board=BoardSpec("pynq-z2"),
        steps=("train",),
    )


def measure(entry: Entry, seed: int, context: Context) -> Score:
    """Test error in percent; the checkpoint in the folder of the run is gone on from."""
    job: Job = entry.job
    recipe = _placed(shortened(job.recipe.with_seed(seed), context.part), context)
    if job.from_float:
        recipe = change(recipe, model=change(recipe.model, checkpoint=str(_float(seed, context))))
    try:
        trained = _trained(recipe, context.folder, context)
    except Diverged:
        return Score(seed, GUESSING_PERCENT, None, diverged=True)
    best = _best(trained.notes)
    seconds = sum(epoch.seconds for epoch in trained.history)
    return Score(
        seed,
        _error(trained.test_accuracy),
        _error(best.test) if best else None,
        seconds=round(seconds, 1),
    )


def shortened(recipe: Recipe, part: float) -> Recipe:
    """A trial of `recipe`: a part of the images and of the epochs of every phase."""
    if part == 1:
        return recipe
    spec = recipe.train
    phases = ("hold_epochs", "epochs", "finetune_epochs")
    lengths = {p: max(min(1, getattr(spec, p)), round(part * getattr(spec, p))) for p in phases}
    images = max(64, round(part * (recipe.data.train_limit or 10_000)))
    return change(
        recipe,
        data=change(recipe.data, limit=images, train_limit=images),
        train=change(spec, **lengths, warmup_epochs=part * spec.warmup_epochs),
        inq=change(recipe.inq, step_epochs=max(1, round(part * recipe.inq.step_epochs))),
    )


def _float(seed: int, context: Context) -> Path:
    """The float network of `seed`, trained once for the whole table."""
    folder = context.folder.parent.parent / "float-start" / f"seed{seed}"
    path = folder / START_FILE
    if not path.exists():
        recipe = shortened(scaled(FLOAT).with_seed(seed), context.part)
        trained = _trained(_placed(recipe, context), folder, context)
        torch.save(trained.model.state_dict(), path)
    return path


def _placed(recipe: Recipe, context: Context) -> Recipe:
    return change(recipe, train=change(recipe.train, device=context.device))


def _trained(recipe: Recipe, folder: Path, context: Context) -> Trained:
    from codesign.train.progress import Watcher

    resume = (folder / CHECKPOINT).exists()
    return train_recipe(recipe, folder, resume, Watcher(quiet=True), context.data_dir, keep_best)


def keep_best(trainer: Trainer, epoch: Epoch) -> None:
    """Note the test accuracy of an epoch that is the best by validation and meets the budgets."""
    held = trainer.budget is not None and epoch.phase == HOLD
    if held or any(over > 0 for over in epoch.excess.values()):
        return
    best = _best(trainer.notes)
    if best is None or epoch.validation_accuracy > best.validation:
        test = accuracy(trainer.model, trainer.data.test, trainer.data.input_max)
        found = Best(epoch.validation_accuracy, test)
        trainer.notes[NOTE] = msgspec.json.encode(found).decode()


def _best(notes: dict[str, str]) -> Best | None:
    return msgspec.json.decode(notes[NOTE], type=Best) if NOTE in notes else None


def _error(share: float) -> float:
    return round(100 * (1 - share), 3)
