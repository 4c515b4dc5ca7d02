"""One signed bit: the values -1 and +1, times a scale for weights."""

from __future__ import annotations

import torch
from torch import Tensor

from codesign.errors import BadInput
from codesign.quant.quantiser import NamedQuantiser
from codesign.quant.uniform import power_of_two


class SignFunction(torch.autograd.Function):
    """+1 for x >= 0, else -1; straight-through where |x| <= 1 (Courbariaux et al., BNN, 2016)."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0)

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grad * (x.abs() <= 1)


class BipolarQuantiser(NamedQuantiser):
    """Sign of x; for weights times the mean |w| of the tensor or output channel (BWN, 2016).

    `shape` is that of the scale: () or (C, 1, ..). The scale is no parameter: it follows the
    weights and takes no gradient. Activations have scale 1. The width is 1 and cannot change.
    """

    bipolar = True
    own_sign = True

    def add_state(self, bits: int) -> None:
        self.set_bits(bits)
        self.register_buffer("one", torch.ones(self.shape), persistent=False)

    @torch.no_grad()
    def scale(self, x: Tensor) -> Tensor:
        if not self.is_weight:
            return self.one
        size = x.abs()
        mean = size.flatten(1).mean(1).reshape(self.one.shape) if self.one.dim() else size.mean()
        mean = mean.clamp(min=2.0**-12)
        return power_of_two(mean) if self.as_power else mean

    def quantise(self, x: Tensor) -> Tensor:
        sign = SignFunction.apply(x)
        return sign * self.scale(x) if self.is_weight else sign

    def bits(self) -> Tensor:
        return torch.ones_like(self.one)

    def set_bits(self, bits: int) -> None:
        if bits != 1:
            raise BadInput(
                f"the bipolar quantiser has 1 bit and cannot move to {bits}; build the network "
                "with another width in its QuantConfig",
                bits=bits,
            )
