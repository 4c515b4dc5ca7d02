"""Knowledge distillation: a network learns from labels and from the outputs of a teacher.

"Distilling the Knowledge in a Neural Network" (Hinton, Vinyals and Dean, 2015):
L = (1 - w) CE(z, y) + w T^2 KL(softmax(t / T) || softmax(z / T)), z the network's and t the
teacher's logits, T the temperature, w the weight. The teacher sees the same augmented images and
does not learn. Budgets add their penalties to L as they do to the loss of labels.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional

from codesign.data.dataset import Dataset
from codesign.errors import BadInput, reason
from codesign.quant.config import QuantConfig
from codesign.recipe import BudgetSpec, Recipe
from codesign.recipe.procedures import DistilSpec
from codesign.train.build import recipe_model
from codesign.train.checkpoint import FILE_NAME, load_checkpoint
from codesign.train.device import device_of
from codesign.train.evaluate import logits_of
from codesign.train.loop import Trainer
from codesign.train.objective import Objective, labelled
from codesign.train.phases import train_phases
from codesign.train.reload import trained_model

OWN_FLOAT = "float"
FOLDER = "teacher"

change = msgspec.structs.replace


def distil(trainer: Trainer) -> None:
    """Let `trainer` learn from the teacher of its recipe; nothing changes where it names none.

    Raises BadInput for a teacher that cannot be read or answers other classes.
    """
    spec = trainer.recipe.distil
    if spec.teacher is None:
        return
    random_state = torch.get_rng_state()  # a resumed run goes on with its own random numbers
    found = teacher(trainer, spec.teacher).to(device_of(trainer.model)).eval().requires_grad_(False)
    torch.set_rng_state(random_state)
    _check(found, trainer.data, spec.teacher)
    trainer.objective = distilled(found, spec, labelled(trainer.recipe.train.label_smoothing))


def distilled(found: nn.Module, spec: DistilSpec, labels: Objective) -> Objective:
    """The loss L with the teacher `found`."""

    def loss(x: Tensor, logits: Tensor, y: Tensor) -> Tensor:
        with torch.no_grad():
            soft = functional.log_softmax(logits_of(found, x) / spec.temperature, 1)
        own = functional.log_softmax(logits / spec.temperature, 1)
        apart = functional.kl_div(own, soft, reduction="batchmean", log_target=True)
        return (1 - spec.weight) * labels(x, logits, y) + spec.weight * spec.temperature**2 * apart

    return loss


def teacher(trainer: Trainer, name: str) -> nn.Module:
    """The network that `name` means: "float", the folder of a run, or a file of weights."""
    recipe = float_recipe(trainer.recipe)
    if name == OWN_FLOAT:
        return _trained_float(recipe, trainer)
    if Path(name).is_dir():
        return trained_model(Path(name))[0]
    return recipe_model(change(recipe, model=change(recipe.model, checkpoint=name)), trainer.data)


def float_recipe(recipe: Recipe) -> Recipe:
    """The same network and data without quantisation, trained for the teacher's epochs."""
    train = change(
        recipe.train,
        procedure="phases",
        epochs=recipe.distil.epochs,
        hold_epochs=0,
        finetune_epochs=0,
    )
    return change(
        recipe,
        quant=QuantConfig(quantiser="float"),
        train=train,
        budget=BudgetSpec(),
        distil=DistilSpec(),
    )


def _trained_float(recipe: Recipe, student: Trainer) -> nn.Module:
    """Train the float network in a folder beside the checkpoint, or go on with what lies there."""
    folder = student.folder / FOLDER
    if not student.is_resumed:
        student.save()  # so that a stop during the teacher's epochs can be resumed, too
    model = recipe_model(recipe, student.data).to(device_of(student.model))
    own = Trainer(model, student.data, recipe, folder, watcher=student.watcher)
    if student.is_resumed and (folder / FILE_NAME).exists():
        own.restore(load_checkpoint(folder, recipe))
    own.watcher.line("teacher: the float network")
    train_phases(own)
    return model


def _check(found: nn.Module, data: Dataset, name: str) -> None:
    """Raise BadInput unless the teacher takes these images and answers these classes."""
    x = torch.zeros(1, *data.input_shape)
    try:
        count = logits_of(found, x).shape[1]
    except (RuntimeError, ValueError) as error:
        raise BadInput(
            f"[distil] teacher {name} does not take images of {'x'.join(map(str, data.input_shape))} "
            f"({reason(error)}); choose one that was trained on this data",
            teacher=name,
        ) from error
    if count != data.class_count:
        raise BadInput(
            f"[distil] teacher {name} answers {count} classes and the data has {data.class_count}; "
            "choose one that was trained on this data",
            teacher=name,
        )
