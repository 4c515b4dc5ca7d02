"""FDQMP: homogeneous training, search of steps and ranges by slices, finetuning from the best.

"Edge Inference with Fully Differentiable Quantized Mixed Precision Neural Networks" (Schaefer et
al., WACV 2024). Phase 1 (`hold_epochs`) trains the weights at the widths of [quant], steps and
ranges frozen; phase 2 (`epochs`) also moves those with every 20th batch, under the penalty; phase 3
(`finetune_epochs`) goes on from the best epoch of phase 2 that met the budget, all of them frozen.
Slices are `per_channel` in [quant], the modified gradients its `weight_gradient` and `act_gradient`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import torch
from torch import Tensor

from codesign.files import write_bytes_atomic
from codesign.quant.handles import QuantHandle
from codesign.recipe import BudgetSpec
from codesign.recipe_procedures import FdqmpSpec
from codesign.train.budget import MEMORY, Budget, learned_widths
from codesign.train.history import Epoch
from codesign.train.loop import Stage, Trainer, finetune_stage
from codesign.train.phases import keep, kept
from codesign.train.project import Projection, project

BEST = "best of search"
BEST_FILE = "best.pt"
KB_PER_KIB = 1.024


class HingeBudget(Budget):
    """beta(t) 1e-4 [relu(W - W0)^2 + relu(A - A0)^2] with sizes in kB of 1000 bytes.

    Sizes are means over slices; beta rises linearly from 0.01 to 1 over the first half of the
    search. A fixed factor does not guarantee the budget: only epochs that met it are kept.
    """

    def __init__(self, spec: BudgetSpec, handles: Sequence[QuantHandle], hinge: FdqmpSpec) -> None:
        super().__init__(spec, handles)
        self.hinge = hinge

    @property
    def beta(self) -> float:
        """The ramp at `progress`."""
        first = self.hinge.first_beta
        return first + (1 - first) * min(1.0, 2 * self.progress)

    def penalty(self) -> Tensor:
        bits = learned_widths(self.handles).mean
        over = [
            torch.relu(KB_PER_KIB * (MEMORY[key](self.handles, bits) - limit)).square()
            for key, limit in self.spec.memory.items()
        ]
        return self.beta * self.hinge.strength * sum(over)

    @torch.no_grad()
    def ascend(self) -> dict[str, float]:
        """The relative excesses; there are no multipliers to move."""
        return {key: float(value) for key, value in self.excess().items()}


def train_fdqmp(trainer: Trainer) -> Projection:
    """The three phases; where no epoch of the search met the budget, its last one is projected."""
    spec, every = trainer.recipe.train, trainer.recipe.fdqmp.quantiser_every
    trainer.run(Stage(0, spec.hold_epochs, spec.lr, learns=False))
    trainer.after_epoch.append(_keep_best)
    stop = spec.hold_epochs + spec.epochs
    trainer.run(Stage(spec.hold_epochs, stop, spec.lr, learns=True, quantiser_every=every))
    projection = kept(trainer) or keep(trainer, _from_best(trainer) or project(trainer))
    trainer.fix_widths()
    trainer.run(finetune_stage(spec))
    return projection


def _keep_best(trainer: Trainer, epoch: Epoch) -> None:
    """Keep the network of an epoch of the search that meets the budget, if it is the best so far."""
    met = bool(epoch.excess) and all(over <= 0 for over in epoch.excess.values())
    best = float(trainer.notes.get(BEST, "-1"))
    if met and epoch.validation_accuracy > best:
        buffer = io.BytesIO()
        torch.save(trainer.model.state_dict(), buffer)
        write_bytes_atomic(trainer.folder / BEST_FILE, buffer.getvalue())
        trainer.notes[BEST] = repr(epoch.validation_accuracy)


def _from_best(trainer: Trainer) -> Projection | None:
    """Go back to the best epoch; None where none met the budget."""
    if BEST not in trainer.notes:
        return None
    trainer.model.load_state_dict(torch.load(trainer.folder / BEST_FILE, weights_only=True))
    return Projection(learned_fits=True, fits=True, narrowed={}, excess={})
