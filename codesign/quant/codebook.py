"""Weights on a few values that are arbitrary real numbers, or on integers of 8 bits."""

from __future__ import annotations

import torch
from torch import Tensor

from codesign.quant.given_width import GivenWidth

GRID_BITS = 8


def grid_step(values: Tensor, signed: bool) -> Tensor:
    """The power of two over which the largest of `values` is an integer of 8 bits."""
    top = 2 ** (GRID_BITS - signed) - 1
    return torch.exp2(torch.log2(values.abs().max().clamp(min=2.0**-20) / top).ceil())


class Codebook(GivenWidth):
    """Base of methods whose levels are real numbers.

    No integers times one scale give such weights: they are exported as float32 and do not lower.
    With `as_power` the levels are rounded to integers of 8 bits times a power of two instead, which
    QONNX's Quant and the hardware carry, at the price of 8 bits in memory.
    """

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.has_real_levels = not self.as_power
        self.register_buffer("step", torch.ones(()))
        self.register_buffer("calibrated", torch.tensor(False))

    @torch.no_grad()
    def placed(self, values: Tensor) -> Tensor:
        """`values`, on the grid where there is one; its step follows their largest."""
        if not self.as_power:
            return values
        self.step = grid_step(values, self.signed)
        return (values / self.step).round() * self.step

    def recalibrate(self) -> None:
        self.calibrated.fill_(False)

    def scale(self, x: Tensor) -> Tensor:
        return self.step

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Brevitas' four values; the width is that of the grid."""
        return self.quantise(x), self.step, self.zero, self.zero + GRID_BITS
