"""Modified gradients of quantisers, by name: what a straight-through estimator lacks.

With g the gradient behind the quantiser, e = x/d - round(x/d) in [-1/2, 1/2] the place of x between
two levels and D = 5e-3, the gradient before it is g (1 + D f), f as below. Steps and ranges get
their own gradient unchanged. "Edge Inference with Fully Differentiable Quantized Mixed Precision
Neural Networks" (Schaefer et al., WACV 2024), which uses "ewgs" for weights (Lee et al., CVPR 2021)
and "invtanh" for activations and compares the others; its scale of the noises is 1 here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

DELTA = 5e-3

# f of (g, e), where 0 leaves the gradient as it is.
Factor = Callable[[Tensor, Tensor], Tensor]

FACTORS: dict[str, Factor] = {
    "ewgs": lambda g, e: g.sign() * e,
    "invtanh": lambda g, e: g.sign() * torch.atanh(1.9 * e) / (2 * math.atanh(0.95)),
    "tanh": lambda g, e: g.sign() * 0.5 * torch.tanh(4 * e),
    "acos": lambda g, e: g.sign() * 0.5 * torch.sin(math.pi * e),
    "position": lambda g, e: e.abs(),
    "gauss-noise": lambda g, e: torch.randn_like(g),
    "uniform-noise": lambda g, e: torch.rand_like(g) - 0.5,
}


class Stepped(Protocol):
    """What a modified gradient asks of a quantiser."""

    def scale(self, x: Tensor) -> Tensor:
        """Step d of the grid."""


class ModifiedGradient(torch.autograd.Function):
    """Identity in front of a quantiser whose gradient is g (1 + D f)."""

    @staticmethod
    def forward(ctx, x: Tensor, quantiser: Stepped, name: str) -> Tensor:
        ctx.save_for_backward(x)
        ctx.quantiser, ctx.name = quantiser, name
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None]:
        (x,) = ctx.saved_tensors
        level = x / ctx.quantiser.scale(x)
        factor = FACTORS[ctx.name](grad, level - level.round())
        return grad * (1 + DELTA * factor), None, None
