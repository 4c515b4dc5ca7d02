"""Integer-only training as a procedure of recipes (NITI, Wang et al., 2022)."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from codesign.ondevice.layers import Update
from codesign.train.batches import epoch_generator
from codesign.train.loop import Stage, Trainer, learn_stage


class IntegerTrainer(Trainer):
    """Trains an IntegerNetwork: no optimisers, and mu, the bits of a gradient, for a rate."""

    update: Update

    def _begin(self, stage: Stage) -> None:
        if self.done == stage.start:
            self.save()

    def _train_epoch(self, stage: Stage, phase: str) -> tuple[float, float]:
        """Fixes the shifts of evaluation by the largest outputs of the epoch's batches."""
        bits = self.recipe.niti.bits_at(stage.progress(self.done))
        self.update = Update(bits, epoch_generator(self.recipe.train.seed, -1 - self.done))
        self.model.forget_shifts()
        found = super()._train_epoch(stage, phase)
        self.model.fix_shifts()
        return found

    def _set_rates(self, stage: Stage, progress: float) -> None:
        """The rate is `update.bits`."""

    def _rate(self) -> float:
        return float(self.update.bits)

    def _step(self, x: Tensor, y: Tensor, phase: str, step: int) -> tuple[float, int]:
        """One batch; the loss is that of the logits' real values, for the record only."""
        out = self.model.learn(self.model.pixels(x), y, self.update)
        logits = out.values.to(torch.float32) * math.ldexp(1.0, out.exponent)
        return float(functional.cross_entropy(logits, y)), int((logits.argmax(1) == y).sum())


def train_niti(trainer: Trainer) -> None:
    """All epochs in one stage."""
    trainer.run(learn_stage(trainer.recipe.train))
