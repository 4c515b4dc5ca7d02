"""BinaryConnect: the sign of weights, without a scale."""

from __future__ import annotations

import torch
from torch import Tensor

from codesign.quant.bnn import BnnQuantiser
from codesign.quant.given_width import StraightThrough


class BinaryConnectQuantiser(BnnQuantiser):
    """W_b = +1 where W >= 0, else -1; dW = dW_b, and W is kept in [-1, 1].

    "BinaryConnect" (Courbariaux, Bengio and David, NIPS 2015), its deterministic form: every
    gradient reaches the latent weights, which are clipped instead. Activations are not its subject.
    """

    def quantise(self, x: Tensor) -> Tensor:
        self.bound_latent(x)
        return StraightThrough.apply(x, torch.where(x >= 0, 1.0, -1.0), None)
