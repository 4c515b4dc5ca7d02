"""P3 of DQ: powers of two with learned smallest and largest value, bits inferred."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from codesign.quant.powers import (
    LEAST,
    MOST,
    WIDEST_BITS,
    PowerGrid,
    PowerQuantiser,
    exponents_of,
)
from codesign.quant.uniform import power_of_two


class P3Quantiser(PowerQuantiser):
    """Powers of two from qmin to qmax, b = ceil(log2(log2(qmax/qmin) + 1) + 1).

    "Mixed Precision DNNs" (Uhlich et al., ICLR 2020, P3): (dqmin, dqmax) is (1, 0) below qmin, (0, 0)
    between and (0, 1) above qmax, times sgn x; dx = 2^floor(.)/|x| between, else 0.
    """

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.qmin = nn.Parameter(torch.ones(self.shape))
        self.qmax = nn.Parameter(torch.exp2(exponents_of(torch.full(self.shape, float(bits)))))

    @torch.no_grad()
    def grid(self) -> PowerGrid:
        high = power_of_two(self.qmax.clamp(LEAST, MOST))
        most = exponents_of(torch.full_like(high, WIDEST_BITS))
        low = power_of_two(self.qmin.clamp(LEAST, MOST))
        return PowerGrid(torch.clamp(low, high * torch.exp2(-most), high), high, self.signed)

    def parameters_in_order(self) -> tuple[Tensor, Tensor]:
        return self.qmin, self.qmax

    def factors(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The row P3 of the table: dQ/dx, dQ/dqmin, dQ/dqmax."""
        below, between, above = self.bands(x, y)
        return torch.where(between != 0, y / x, 0), below, above

    def bits(self) -> Tensor:
        return InferredPowerBits.apply(self.qmin, self.qmax, self.grid())

    @torch.no_grad()
    def assign(self, low: Tensor, high: Tensor) -> None:
        self.qmin.copy_(low)
        self.qmax.copy_(high)
        self.clip_()

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep both ends in their bounds and qmin <= qmax."""
        self.qmax.clamp_(LEAST, MOST)
        self.qmin.copy_(torch.clamp(self.qmin, torch.full_like(self.qmin, LEAST), self.qmax))


class InferredPowerBits(torch.autograd.Function):
    """b = ceil(log2(log2(qmax/qmin) + 1) + 1) with a straight-through ceil.

    db/dqmax = 1 / (ln2^2 (log2(qmax/qmin) + 1) qmax), and the same with -1/qmin.
    """

    @staticmethod
    def forward(ctx, low: Tensor, high: Tensor, grid: PowerGrid) -> Tensor:
        ctx.grid = grid
        return torch.ceil(torch.log2(torch.log2(grid.high / grid.low) + 1) + 1)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        low, high, _ = ctx.grid
        common = grad / (math.log(2) ** 2 * (torch.log2(high / low) + 1))
        return -common / low, common / high, None
