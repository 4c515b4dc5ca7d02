"""What a recipe says of training on small devices: in integers, or with block-local losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from codesign.rules import choice, require

if TYPE_CHECKING:
    from codesign.recipe import Recipe

LOCAL_LOSSES = ("pred", "sim", "predsim")
INTEGER_ACT_BITS = 8


class NitiSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Integer-only training (codesign/ondevice): gradients are shifted to `update_bits` bits.

    These bits are the learning rate: `update_bits[i]` counts from the part `update_from[i]` (0..1)
    of the epochs on.
    """

    update_bits: tuple[int, ...] = (5, 4, 3)
    update_from: tuple[float, ...] = (0.0, 0.5, 0.75)

    def __post_init__(self) -> None:
        bits, starts = self.update_bits, list(self.update_from)
        rising = starts == sorted(set(starts)) and starts[:1] == [0] and starts[-1] < 1
        require(
            ("update_bits", list(bits), all(1 <= b <= 7 for b in bits), "from 1 to 7 bits each"),
            ("update_from", starts, rising, "rising parts from 0 to below 1"),
            ("update_from", starts, len(starts) == len(bits), "as many as update_bits"),
        )

    def bits_at(self, progress: float) -> int:
        """Bits of gradients when the part `progress` of the epochs is done."""
        return [
            b for b, s in zip(self.update_bits, self.update_from, strict=True) if s <= progress
        ][-1]


class LocalSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Block-local losses (codesign/ondevice/local_loss.py): "pred", "sim" or "predsim"."""

    loss: str = "predsim"

    def __post_init__(self) -> None:
        require(choice("loss", self.loss, LOCAL_LOSSES))


def check_on_device(recipe: Recipe) -> None:
    """Raise BadInput where procedure and recipe do not go together."""
    if recipe.train.procedure == "niti":
        _check_niti(recipe)
    if recipe.train.procedure == "local":
        adam = recipe.train.optimiser
        require(("optimiser", adam, adam == "adam", "adam for procedure local, one for each block"))


def _check_niti(recipe: Recipe) -> None:
    """It has integers of its own: no other quantisers, rates, phases or budgets."""
    others = recipe.train.hold_epochs + recipe.train.finetune_epochs
    acts, start = recipe.quant.act_bits, recipe.model.checkpoint
    require(
        ("quant.act_bits", acts, acts == INTEGER_ACT_BITS, "8 for procedure niti"),
        ("hold_epochs and finetune_epochs", others, others == 0, "0 for procedure niti"),
        ("budget", "a budget", not recipe.budget.binds, "left out for procedure niti"),
        ("model.checkpoint", start, start is None, "left out for procedure niti"),
        ("model.compact", "layers", not recipe.model.compact, "left out for procedure niti"),
    )
