"""The usual procedure: learn under the budgets, project onto the board, finetune."""

from __future__ import annotations

import msgspec

from codesign.train.loop import Trainer, finetune_stage, learn_stage
from codesign.train.project import Projection, project

PROJECTION = "projection"


def train_phases(trainer: Trainer) -> Projection | None:
    """Learn the widths under the budgets, project them, finetune what is left.

    Returns what projection did, None without a budget.
    """
    spec = trainer.recipe.train
    trainer.run(learn_stage(spec))
    if trainer.recipe.budget.binds and not kept(trainer):
        keep(trainer, project(trainer))
    trainer.fix_widths()
    trainer.run(finetune_stage(spec))
    projection = kept(trainer)
    if projection and spec.finetune_epochs:
        # Other weights have other accumulators, so the verdict may change once more.
        return keep(trainer, projection.then(project(trainer)))
    return projection


def kept(trainer: Trainer) -> Projection | None:
    """The projection that the checkpoint holds, if it was done before."""
    text = trainer.notes.get(PROJECTION)
    return msgspec.json.decode(text, type=Projection) if text else None


def keep(trainer: Trainer, projection: Projection) -> Projection:
    """Put the projection and the widths it made into the checkpoint."""
    trainer.notes[PROJECTION] = msgspec.json.encode(projection).decode()
    trainer.save()
    return projection
