"""FDQMP: homogeneous training, search of steps and ranges by slices, finetuning from the best.

"Edge Inference with Fully Differentiable Quantized Mixed Precision Neural Networks" (Schaefer et
al., WACV 2024). Phase 1 (`hold_epochs`) trains the weights at the widths of [quant], steps and
ranges frozen; phase 2 (`epochs`) also moves those with every 20th batch, under the penalty; phase 3
(`finetune_epochs`) goes on from the best epoch of phase 2 that met the budget, all of them frozen.
Slices are `per_channel` in [quant] without `per_channel_dense`: one grid for each output channel of a
convolution, one for each matrix and activation. The modified gradients are its `weight_gradient` and
`act_gradient`, first grids `first_grid = "spread"`; gradients of steps and ranges are clipped by
`clip_quantiser_gradients` in [train]. Every phase has its own warm-up and cosine. Steps stay in
[2^-12, 1], those of activations below 8, ranges in [2^-8, 127].

What differs from the paper: a slice has the bits of its largest integer, ceil(log2(round(xmax/d) +
1)) + sign, which is what the hardware stores, and not those of xmax/d before rounding; ranges of
activations end at a power of two of steps (codesign/quant/u3.py); biases are exact integers here
and the input image has the raw integers of the data, so neither is counted.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import torch

from codesign.files import write_bytes_atomic
from codesign.quant.handles import QuantHandle
from codesign.quant.u3 import U3Quantiser
from codesign.recipe import BudgetSpec
from codesign.recipe.procedures import FdqmpSpec
from codesign.train.hinge import Hinge
from codesign.train.history import Epoch
from codesign.train.loop import Stage, Trainer, finetune_stage
from codesign.train.parallel import is_first, wait_for_all
from codesign.train.phases import keep, kept
from codesign.train.project import Projection, project

BEST = "best of search"
BEST_FILE = "best.pt"
WEIGHT_STEP_MAX, RANGE_MAX = 1.0, 127.0


class RampedHinge(Hinge):
    """beta(t) 1e-4 [relu(W - W0)^2 + relu(A - A0)^2] with sizes in kB of 1000 bytes.

    Sizes are means over slices; beta rises linearly from 0.01 to 1 over the first half of the
    search. A fixed factor does not guarantee the budget: only epochs that met it are kept.
    """

    units_per_kib = 1.024

    def __init__(self, spec: BudgetSpec, handles: Sequence[QuantHandle], ramp: FdqmpSpec) -> None:
        super().__init__(spec, handles)
        self.ramp = ramp

    @property
    def factor(self) -> float:
        """The ramp at `progress`."""
        first = self.ramp.first_beta
        beta = first + (1 - first) * min(1.0, 2 * self.progress)
        return beta * self.ramp.strength


def train_fdqmp(trainer: Trainer) -> Projection:
    """The three phases; where no epoch of the search met the budget, its last one is projected."""
    spec, every = trainer.recipe.train, trainer.recipe.fdqmp.quantiser_every
    warmup = spec.warmup_epochs
    bound_grids(trainer.handles)
    trainer.run(Stage(0, spec.hold_epochs, spec.lr, learns=False, warmup_epochs=warmup))
    trainer.after_epoch.append(_keep_best)
    stop = spec.hold_epochs + spec.epochs
    trainer.run(Stage(spec.hold_epochs, stop, spec.lr, True, every, warmup))
    projection = kept(trainer) or keep(trainer, _from_best(trainer) or project(trainer))
    trainer.fix_widths()
    trainer.run(replace(finetune_stage(spec), warmup_epochs=warmup))
    return projection


def bound_grids(handles: Sequence[QuantHandle]) -> None:
    """The upper ends of steps and ranges that the paper clips to."""
    for handle in handles:
        if isinstance(handle.quantiser, U3Quantiser):
            handle.quantiser.qmax_max = RANGE_MAX
            if handle.role == "weight":
                handle.quantiser.step_max = WEIGHT_STEP_MAX


def _keep_best(trainer: Trainer, epoch: Epoch) -> None:
    """Keep the network of an epoch of the search that meets the budget, if it is the best so far."""
    met = bool(epoch.excess) and all(over <= 0 for over in epoch.excess.values())
    best = float(trainer.notes.get(BEST, "-1"))
    if met and epoch.validation_accuracy > best:
        trainer.notes[BEST] = repr(epoch.validation_accuracy)
        if is_first():
            buffer = io.BytesIO()
            torch.save(trainer.model.state_dict(), buffer)
            write_bytes_atomic(trainer.folder / BEST_FILE, buffer.getvalue())
        wait_for_all()


def _from_best(trainer: Trainer) -> Projection | None:
    """Go back to the best epoch; None where none met the budget."""
    if BEST not in trainer.notes:
        return None
    trainer.model.load_state_dict(torch.load(trainer.folder / BEST_FILE, weights_only=True))
    return Projection(learned_fits=True, fits=True, narrowed={}, excess={})
