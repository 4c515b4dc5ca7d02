"""Training with block-local losses as a procedure of recipes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from codesign.ondevice.local_blocks import LocalBlocks, local_blocks
from codesign.train.device import device_of
from codesign.train.loop import Stage, Trainer
from codesign.train.optimise import quantiser_optimiser, rate_factor, set_rate


class LocalTrainer(Trainer):
    """Each block of the network has its loss and its Adam; no gradient passes between blocks.

    Steps and ranges of quantisers share the optimiser that the recipe names for them. The loss of a
    batch is the sum over blocks.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        shape, classes = self.data.input_shape, self.data.class_count
        self.blocks: LocalBlocks = local_blocks(self.model, shape, classes, self.recipe.local.loss)
        self.blocks.heads.to(device_of(self.model))

    def state(self) -> dict[str, Any]:
        return {**super().state(), "heads": self.blocks.heads.state_dict()}

    def restore(self, state: dict[str, Any]) -> None:
        super().restore(state)
        self.blocks.heads.load_state_dict(state["heads"])

    def _optimisers(self, stage: Stage) -> list[torch.optim.Optimizer]:
        decay, count = self.recipe.train.weight_decay, len(self.blocks.members)
        own: list[torch.optim.Optimizer] = [
            torch.optim.Adam(self.blocks.parameters_of(block), stage.lr, weight_decay=decay)
            for block in range(count)
        ]
        steps = quantiser_optimiser(self.handles, self.recipe.train) if stage.learns else None
        return own if steps is None else [*own, steps]

    def _moving(self, stage: Stage, step: int) -> list[torch.optim.Optimizer]:
        return self.optimisers

    def _set_rates(self, stage: Stage, progress: float) -> None:
        spec, length = self.recipe.train, stage.stop - stage.start
        factor = rate_factor(progress, stage.warmup_epochs / length, spec.schedule)
        for number, optimiser in enumerate(self.optimisers):
            own = number < len(self.blocks.members)
            set_rate(optimiser, factor * (stage.lr if own else spec.quantiser_lr))

    def _forward(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The blocks before the last have gone backwards then; their losses are constants."""
        logits, losses = self.blocks.forward(x, y)
        logits = logits.flatten(1)
        return logits, self.objective(x, logits, y) + sum(losses)
