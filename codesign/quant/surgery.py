"""INQ after dynamic network surgery: weights are cut and spliced back before powers of two begin."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from codesign.quant.given_width import StraightThrough
from codesign.quant.inq import InqQuantiser

CUT, SPLICE = 0.9, 1.1


class SurgeryQuantiser(InqQuantiser):
    """W * T while surgery lasts, then INQ on the weights that T keeps.

    "Dynamic Network Surgery for Efficient DNNs" (Guo, Yao and Chen, NeurIPS 2016): T = 0 where
    |W| < a, 1 where |W| >= b, else as it was; the gradient at W * T updates all of W, so that what
    was cut by mistake comes back. `begin` sets a = 0.9 t and b = 1.1 t with t = max(0, mean|W| +
    rate std|W|) of the tensor; T moves with a training step with the probability
    (1 + gamma steps)^-power. `end` cuts for good: what T leaves out is held at 0 from then on.
    """

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.register_buffer("kept", torch.ones(1))
        self.register_buffer("ends", torch.full((2,), torch.nan))
        self.register_buffer("moves", torch.zeros(()))
        self.gamma, self.power = 0.0, 0.0

    @property
    def is_operating(self) -> bool:
        """Whether surgery has begun and not ended."""
        return not bool(self.ends.isnan().any())

    @property
    def cut(self) -> float:  # type: ignore[override]
        return 0.0 if self.is_operating else 1 - float(self.kept.mean())

    @torch.no_grad()
    def begin(self, x: Tensor, rate: float, gamma: float, power: float) -> None:
        """Start with all weights of `x` kept; goes on with the thresholds it has, if it has any."""
        self.gamma, self.power = gamma, power
        if self.is_operating:
            return
        size = x.abs()
        middle = (size.mean() + rate * size.std(correction=0)).clamp(min=0)
        self.ends.copy_(torch.stack([CUT * middle, SPLICE * middle]))
        self.kept = torch.ones_like(x)

    @torch.no_grad()
    def end(self) -> None:
        """Hold at 0 what is cut; the other weights are free for INQ."""
        if self.is_operating:
            self.held = torch.where(self.kept > 0, torch.nan, 0.0)
            self.ends.fill_(torch.nan)

    @torch.no_grad()
    def operate(self, x: Tensor) -> None:
        """Cut and splice by the weights `x` as they are."""
        low, high = self.ends
        size = x.abs()
        self.kept = torch.where(size < low, 0.0, torch.where(size >= high, 1.0, self.kept))

    def quantise(self, x: Tensor) -> Tensor:
        if not self.is_operating:
            return super().quantise(x)
        if self.training:
            self._maybe_operate(x)
            return StraightThrough.apply(x, x.detach() * self.kept, None)
        return self.snap(x) * self.kept

    def _maybe_operate(self, x: Tensor) -> None:
        chance = (1 + self.gamma * float(self.moves)) ** -self.power
        self.moves += 1
        if float(torch.rand(())) < chance:
            self.operate(x)

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """`kept` gets the shape of the weights when surgery begins."""
        if f"{prefix}kept" in state:
            self.kept = torch.empty_like(state[f"{prefix}kept"])
        super()._load_from_state_dict(state, prefix, *rest)
