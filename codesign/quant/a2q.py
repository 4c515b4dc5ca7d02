"""A2Q+: weights whose sums never need more than a given number of bits."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from codesign.quant.given_width import GivenWidth, StraightThrough
from codesign.quant.learned_step import STEP_MAX, STEP_MIN
from codesign.quant.lsq import ScaledGradient
from codesign.quant.uniform import power_of_two

# Of the norm, for float32 sums of thousands of weights.
ROUNDING = 1e-4


def largest_norm(sum_bits: int, input_bits: int) -> float:
    """(2^P - 2) / (2^N - 1): the largest l1 norm of zero-centred weights in steps."""
    return (2**sum_bits - 2) / (2**input_bits - 1)


class A2qQuantiser(GivenWidth):
    """w_int = trunc(v), v = u min(1, T / ||u||_1), u = (W - mean W) / s per output channel; s learned.

    "A2Q+" (Colbert et al., ICML 2024): with T = (2^P - 2) / (2^N - 1) the positive and the negative
    integers of a channel sum to at most T/2 each, as v is zero-centred and rounded towards zero; so
    every sum of products with inputs of N bits, in any order and partly done, lies within
    +-(2^(P-1) - 1). The paper learns the norm of v; here it is that of the latent weights up to T,
    which needs no penalty. Truncation is straight-through, all else is differentiated as it stands;
    ds times 1/sqrt(n Qp) as in LSQ. `bound` states P and N, without which T is infinite.
    """

    legal = range(2, 9)
    own_sign = True

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.norm = math.inf
        self.step = nn.Parameter(torch.ones(self.shape))
        self.register_buffer("calibrated", torch.tensor(False))

    @property
    def is_learned(self) -> bool:  # type: ignore[override]
        return self.step.requires_grad

    def bound(self, sum_bits: int, input_bits: int) -> None:
        """Keep sums of products with inputs of `input_bits` bits within `sum_bits` bits."""
        self.norm = largest_norm(sum_bits, input_bits) * (1 - ROUNDING)

    def scale(self, x: Tensor) -> Tensor:
        step = self.step.detach()
        return power_of_two(step) if self.as_power else step

    @torch.no_grad()
    def calibrate_once(self, x: Tensor) -> None:
        """A step with which the largest weight is an integer, and rows keep their norm on average."""
        if self.calibrated:
            return
        rows = x.flatten(1) - x.flatten(1).mean(1, keepdim=True)
        reach, total = rows.abs().amax(1), rows.abs().sum(1)
        reach, total = (reach, total) if self.shape else (reach.max(), total.mean())
        step = torch.maximum(reach / self.levels, total / self.norm)
        self.step.copy_(step.reshape(self.shape).clamp(STEP_MIN, STEP_MAX))
        self.calibrated.fill_(True)

    def quantise(self, x: Tensor) -> Tensor:
        self.calibrate_once(x)
        factor = 1 / math.sqrt(x.numel() * self.levels)
        learned = ScaledGradient.apply(self.step, factor)
        step = StraightThrough.apply(learned, self.scale(x), None).reshape(-1, 1)
        level = self._capped(x.flatten(1), step).clamp(-self.levels, self.levels)
        whole = StraightThrough.apply(level, level.detach().trunc(), None)
        return (whole * step).reshape(x.shape)

    def _capped(self, rows: Tensor, step: Tensor) -> Tensor:
        """Zero-centred rows in steps, none with a larger norm than allowed."""
        level = (rows - rows.mean(1, keepdim=True)) / step
        norm = level.abs().sum(1, keepdim=True).clamp(min=1e-6)
        return level * (self.norm / norm).clamp(max=1)

    def recalibrate(self) -> None:
        self.calibrated.fill_(False)

    def set_bits(self, bits: int) -> None:
        """Keep the range, choose the step for `bits` bits."""
        levels = self.levels
        super().set_bits(bits)
        with torch.no_grad():
            self.step.mul_(levels / self.levels)

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep the step in its bounds."""
        self.step.clamp_(STEP_MIN, STEP_MAX)
