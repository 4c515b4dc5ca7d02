"""LSQ: fixed width, learned step."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from codesign.quant.learned_step import FIRST_RANGE, STEP_MAX, STEP_MIN, LearnedStep
from codesign.quant.uniform import Grid, UniformFunction, level_bits, snap


class ScaledGradient(torch.autograd.Function):
    """Identity whose gradient is multiplied by a constant factor."""

    @staticmethod
    def forward(ctx, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        return grad * ctx.factor, None


class LsqQuantiser(LearnedStep):
    """Uniform quantiser of a given width whose step s is learned.

    "Learned Step Size Quantization" (Esser et al., ICLR 2020): ds = round(v/s) - v/s inside the
    range, -Qn or Qp outside, times 1/sqrt(N Qp) with N the elements of the weight or of one sample.
    Signed ranges are symmetric (Qn = Qp). Raises BadInput for 1 bit signed.
    """

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        levels = self.levels_of(bits)
        self.register_buffer("levels", levels)
        self.assign(torch.full(self.shape, FIRST_RANGE) / levels, levels)

    def grid(self) -> Grid:
        return Grid(self.rounded_step(), self.levels, self.signed)

    def quantise(self, x: Tensor) -> Tensor:
        self.calibrate_once(x)
        if not torch.is_grad_enabled():
            return snap(x, self.grid())
        elements = x.numel() if self.is_weight else x[0].numel()
        step = ScaledGradient.apply(self.step, 1 / math.sqrt(elements * float(self.levels)))
        return UniformFunction.apply(x, step, step * self.levels, self.grid())

    def bits(self) -> Tensor:
        return level_bits(self.levels, self.signed)

    def set_bits(self, bits: int) -> None:
        """Keep the range, choose the step for `bits` bits."""
        levels = self.levels_of(bits)
        self.assign(self.step.detach() * (self.levels / levels), levels)

    @torch.no_grad()
    def assign(self, step: Tensor, levels: Tensor) -> None:
        self.place_step(step)
        self.levels.copy_(levels)

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep the step in its bounds."""
        self.step.clamp_(STEP_MIN, STEP_MAX)

    @torch.no_grad()
    def freeze(self) -> None:
        self.assign(self.rounded_step(), self.levels)
        super().freeze()
