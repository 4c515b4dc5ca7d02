"""The train step of a recipe: data, network and budget, and the procedure that it names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from codesign.data.dataset import Dataset
from codesign.ondevice.integer_trainer import IntegerTrainer, train_niti
from codesign.ondevice.local_trainer import LocalTrainer
from codesign.quant.handles import QuantHandle, handles
from codesign.recipe import Recipe
from codesign.train.board_demand import BoardDemand
from codesign.train.budget import Budget, check_memory
from codesign.train.build import recipe_data, recipe_model
from codesign.train.checkpoint import load_checkpoint
from codesign.train.device import chosen_device
from codesign.train.distil import distil
from codesign.train.ebops import EbopsPrice, note_ebops
from codesign.train.evaluate import shared_accuracy
from codesign.train.fdqmp import RampedHinge, train_fdqmp
from codesign.train.hinge import Hinge
from codesign.train.history import Epoch
from codesign.train.inq import train_inq
from codesign.train.limpq import train_limpq
from codesign.train.loop import REMARK, Trainer
from codesign.train.parallel import check_alone, group
from codesign.train.phases import train_phases
from codesign.train.progress import Watcher
from codesign.train.progressive import train_progressive
from codesign.train.project import Projection
from codesign.train.surgery import train_surgery

PROCEDURES: dict[str, Callable[[Trainer], Projection | None]] = {
    "phases": train_phases,
    "inq": train_inq,
    "inq-dns": train_surgery,
    "fdqmp": train_fdqmp,
    "niti": train_niti,
    "local": train_phases,
    "progressive": train_progressive,
    "limpq": train_limpq,
}

# Procedures whose batches are not a loss, its gradient and a step of an optimiser.
TRAINERS: dict[str, type[Trainer]] = {"niti": IntegerTrainer, "local": LocalTrainer}


@dataclass(frozen=True)
class Trained:
    """A trained network with its data, the records of its epochs and what projection did.

    `start_bits` and `bits` map (layer, role) to the integer width before and after training;
    `projection` is None when no budget was given. Accuracies are fractions 0..1.
    """

    recipe: Recipe
    model: nn.Module
    data: Dataset
    history: tuple[Epoch, ...]
    start_bits: dict[tuple[str, str], int]
    bits: dict[tuple[str, str], int]
    projection: Projection | None
    validation_accuracy: float
    test_accuracy: float
    notes: dict[str, str]

    @property
    def remark(self) -> str:
        """What the procedure found, in a sentence; empty where there is nothing to say."""
        return self.notes.get(REMARK, "")

    @property
    def handles(self) -> tuple[QuantHandle, ...]:
        """Handles of all quantisers, in execution order."""
        return handles(self.model)


def train_recipe(
    recipe: Recipe,
    out: Path,
    resume: bool = False,
    watcher: Watcher | None = None,
    data_dir: Path | None = None,
    after_epoch: Callable[[Trainer, Epoch], None] | None = None,
) -> Trained:
    """Train what `recipe` names; checkpoint.pt in `out` follows every epoch.

    `after_epoch` may leave notes in the trainer, which the checkpoint and the result carry.

    Raises BadInput, Diverged and Interrupted; the checkpoint then holds the last whole epoch.
    """
    with group(recipe.train.device):
        return _train(recipe, Path(out), resume, watcher, data_dir, after_epoch)


def _train(
    recipe: Recipe,
    out: Path,
    resume: bool,
    watcher: Watcher | None,
    data_dir: Path | None,
    after_epoch: Callable[[Trainer, Epoch], None] | None,
) -> Trained:
    """`train_recipe` within its group of processes."""
    check_alone(recipe)
    data = recipe_data(recipe, data_dir)
    model = recipe_model(recipe, data).to(chosen_device(recipe.train.device))
    kind = TRAINERS.get(recipe.train.procedure, Trainer)
    trainer = kind(model, data, recipe, Path(out), _budget(recipe, data, model), watcher)
    trainer.after_epoch += [after_epoch] if after_epoch else []
    trainer.after_epoch += [note_ebops] if recipe.ebops.beta else []
    start_bits = _integer_bits(model)
    if resume:
        trainer.restore(load_checkpoint(Path(out), recipe))
    distil(trainer)
    projection = PROCEDURES[recipe.train.procedure](trainer)
    validation, test = (shared_accuracy(model, part, data) for part in (data.validation, data.test))
    return Trained(
        recipe=recipe,
        model=model.cpu().eval(),
        data=data,
        history=tuple(trainer.history),
        start_bits=start_bits,
        bits=_integer_bits(model),
        projection=projection,
        validation_accuracy=validation,
        test_accuracy=test,
        notes=trainer.notes,
    )


def _budget(recipe: Recipe, data: Dataset, model: nn.Module) -> Budget | None:
    found = handles(model)
    if recipe.ebops.beta:
        return EbopsPrice(recipe.ebops, found)
    if not recipe.budget.binds:
        return None
    if recipe.train.procedure != "limpq":  # which knows how narrow it may go
        check_memory(recipe.budget, found)
    if recipe.train.procedure == "fdqmp":
        return RampedHinge(recipe.budget, found, recipe.fdqmp)
    if recipe.budget.penalty == "hinge":
        return Hinge(recipe.budget, found)
    board = None
    if recipe.budget.board:
        board = BoardDemand(found, data.input_shape, recipe.board.load(), recipe.target)
    return Budget(recipe.budget, found, board)


def _integer_bits(model: nn.Module) -> dict[tuple[str, str], int]:
    return {(h.name, h.role): h.integer_bits() for h in handles(model)}
