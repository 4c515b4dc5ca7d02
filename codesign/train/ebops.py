"""Effective bit operations as a price in the loss: loss + beta EBOPs, beta rising over the epochs.

HGQ (Sun et al., 2024): EBOPs is the sum of b_w b_a over all multipliers, without signs, and follows
LUTs + 55 DSPs of unrolled hardware. As beta rises geometrically one run passes the trade-off.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from codesign.quant.handles import QuantHandle
from codesign.recipe import BudgetSpec
from codesign.recipe.procedures import EbopsSpec
from codesign.train.budget import Budget
from codesign.train.history import Epoch
from codesign.train.loop import REMARK, Trainer


def ebops(handles: Sequence[QuantHandle]) -> Tensor:
    """Sum of b_w b_a over all weights as a scalar, differentiable; each weight counts once.

    b_a is the width of the quantiser that ran last before the layer: `handles` in their order.
    """
    total, read = torch.zeros(()), torch.zeros(())
    for handle in handles:
        bits = _without_sign(handle)
        if handle.role == "weight":
            total = total + bits.mean() * handle.numel * read
        else:
            read = bits.max()
    return total


def _without_sign(handle: QuantHandle) -> Tensor:
    """Width of every slice less its sign; -1 and +1 count as one bit."""
    bits = handle.quantiser.bits()
    return torch.where(bits > 1, bits - int(handle.signed), bits)


class EbopsPrice(Budget):
    """The penalty beta EBOPs; there is no budget to keep and no multiplier."""

    def __init__(self, price: EbopsSpec, handles: Sequence[QuantHandle]) -> None:
        super().__init__(BudgetSpec(), handles)
        self.price = price

    @property
    def beta(self) -> float:
        """From `first_beta` to `beta`, by equal factors."""
        return self.price.first_beta * (self.price.beta / self.price.first_beta) ** self.progress

    def penalty(self) -> Tensor:
        return self.beta * ebops(self.handles)

    def ascend(self) -> dict[str, float]:
        """Nothing to move."""
        return {}


def note_ebops(trainer: Trainer, epoch: Epoch) -> None:
    """Leave the sum of this epoch where reports find it."""
    with torch.no_grad():
        now = float(ebops(trainer.handles))
    trainer.notes[REMARK] = f"EBOPs after epoch {epoch.epoch}: {now:,.0f}"
