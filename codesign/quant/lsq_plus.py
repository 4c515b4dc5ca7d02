"""LSQ+: a learned step, and for activations a learned offset."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from codesign.quant.learned_step import STEP_MAX, STEP_MIN
from codesign.quant.lsq import LsqQuantiser, ScaledGradient
from codesign.quant.quantiser import Quantiser
from codesign.quant.uniform import Grid


class OffsetFunction(torch.autograd.Function):
    """Q = s clip(round(x/s) + z, 0, n) - s z with z = -round(b/s) and the gradients of LSQ+.

    Inside the range dx = 1, ds = round(v) - v with v = (x - b)/s, db = 0; below it dx = ds = 0 and
    db = 1, above it dx = 0, ds = n and db = 1.
    """

    @staticmethod
    def forward(ctx, x: Tensor, step: Tensor, offset: Tensor, grid: Grid) -> Tensor:
        zero = zero_point(offset, grid.step)
        level = x / grid.step + zero
        ctx.save_for_backward(level)
        ctx.levels = float(grid.levels)
        return (level.clamp(0, ctx.levels).round() - zero) * grid.step

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        (level,) = ctx.saved_tensors
        inside = (level >= 0) & (level <= ctx.levels)
        slope = torch.where(inside, level.round() - level, level.clamp(0, ctx.levels))
        return grad * inside, (grad * slope).sum(), (grad * ~inside).sum(), None


def zero_point(offset: Tensor, step: Tensor) -> Tensor:
    """The integer that stands for 0: -round(b/s)."""
    return -(offset / step).round()


class OffsetQuantiser(LsqQuantiser):
    """Activations on s {0..2^k - 1} + b, step s and offset b learned.

    "LSQ+" (Bhalgat et al., CVPR workshops 2020): Q = s round(clip((x - b)/s, 0, 2^k - 1)) + b, ds
    and db times 1/sqrt(N Qp) as in LSQ. Here b is rounded to a whole number of steps before use,
    straight-through, so that 0 (which pads convolutions) is a level and QONNX's zero point whole.
    It takes the place of ReLU, which it is while b = 0, where it starts.
    """

    own_sign = False
    one_scale = True

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.offset = nn.Parameter(torch.zeros(()))

    def zero_point(self) -> Tensor:
        return zero_point(self.offset.detach(), self.grid().step)

    def quantise(self, x: Tensor) -> Tensor:
        self.calibrate_once(x)
        factor = 1 / math.sqrt(x[0].numel() * float(self.levels)) if x.dim() else 1.0
        step, offset = (ScaledGradient.apply(p, factor) for p in (self.step, self.offset))
        return OffsetFunction.apply(x, step, offset, self.grid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Brevitas' four values, with a zero point."""
        return self.quantise(x), self.grid().step, self.zero_point(), self.bits()

    def own_parameters(self) -> tuple[nn.Parameter, ...]:
        """The step; the offset, which may change its sign, is trained with the network."""
        return (self.step,)

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep the step in its bounds and 0 among the levels."""
        self.step.clamp_(STEP_MIN, STEP_MAX)
        step = self.grid().step
        self.offset.copy_(torch.clamp(self.offset, -self.levels * step, torch.zeros_like(step)))

    @torch.no_grad()
    def freeze(self) -> None:
        super().freeze()
        self.offset.requires_grad_(False)


def lsq_plus(
    bits: int, is_weight: bool, signed: bool, as_power: bool, shape: tuple[int, ...]
) -> Quantiser:
    """LSQ for weights, which the paper leaves symmetric, and an offset for activations."""
    kind = LsqQuantiser if is_weight else OffsetQuantiser
    return kind(bits, is_weight, signed, as_power, shape)
