"""TWN: weights -a, 0, +a with a threshold from their mean."""

from __future__ import annotations

import torch
from torch import Tensor

from codesign.quant.given_width import GivenWidth, StraightThrough
from codesign.quant.uniform import power_of_two

THRESHOLD = 0.7


class TwnQuantiser(GivenWidth):
    """Ternary weights (Li, Zhang and Liu, 2016): D = 0.7 E|W|, a = E[|W| : |W| > D].

    One a per tensor, or per output channel; straight-through everywhere; 2 bits only.
    """

    legal = range(2, 3)

    @torch.no_grad()
    def kept(self, x: Tensor) -> Tensor:
        """Where |x| > D."""
        return x.abs() > THRESHOLD * self.per_slice(x.abs())

    @torch.no_grad()
    def scale(self, x: Tensor) -> Tensor:
        kept = self.kept(x).to(x.dtype)
        share = self.per_slice(kept).clamp(min=1 / x.numel())
        mean = (self.per_slice(x.abs() * kept) / share).clamp(min=2.0**-12)
        return power_of_two(mean) if self.as_power else mean

    def quantise(self, x: Tensor) -> Tensor:
        return StraightThrough.apply(x, x.sign() * self.kept(x) * self.scale(x), None)
