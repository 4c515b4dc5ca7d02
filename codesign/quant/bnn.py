"""BNN: the sign of weights and activations, without a scale."""

from __future__ import annotations

import torch
from torch import Tensor

from codesign.quant.bipolar import SignFunction
from codesign.quant.given_width import GivenWidth


class BnnQuantiser(GivenWidth):
    """sign(x), straight-through where |x| <= 1 (Courbariaux et al., 2016; 1 bit only)."""

    legal = range(1, 2)
    bipolar = True
    own_sign = True

    def quantise(self, x: Tensor) -> Tensor:
        self.bound_latent(x)
        return SignFunction.apply(x)

    def scale(self, x: Tensor) -> Tensor:
        return torch.ones_like(self.zero)
