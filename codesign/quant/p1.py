"""P1 of DQ: powers of two with learned width and largest value."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from codesign.quant.learned_width import rounded
from codesign.quant.powers import (
    LEAST,
    MOST,
    WIDEST_BITS,
    PowerGrid,
    PowerQuantiser,
    exponents_of,
)
from codesign.quant.uniform import power_of_two


class P1Quantiser(PowerQuantiser):
    """Powers of two up to qmax; qmin = 2^-(2^(b-1) - 1) qmax.

    "Mixed Precision DNNs" (Uhlich et al., ICLR 2020, P1), from the tie of the two ends: below qmin
    db = -ln2^2 2^(b-1) qmin and dqmax = qmin/qmax, above qmax db = 0 and dqmax = 1, times sgn x;
    between both are 0. b is rounded before use, straight-through.
    """

    def __init__(
        self,
        bits: int,
        is_weight: bool,
        signed: bool,
        as_power: bool = True,
        shape: tuple[int, ...] = (),
    ) -> None:
        super().__init__(is_weight, signed, shape)
        self.check_bits(bits)
        self.width = nn.Parameter(torch.full(shape, float(bits)))
        self.qmax = nn.Parameter(torch.ones(shape))

    @torch.no_grad()
    def grid(self) -> PowerGrid:
        high = power_of_two(self.qmax.clamp(LEAST, MOST))
        width = self.width.round().clamp(2, WIDEST_BITS)
        return PowerGrid(high * torch.exp2(-exponents_of(width)), high, self.signed)

    def parameters_in_order(self) -> tuple[Tensor, Tensor]:
        return self.width, self.qmax

    def factors(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The row P1 of the table: dQ/dx, dQ/db, dQ/dqmax."""
        low, high, _ = self.grid()
        below, between, above = self.bands(x, y)
        growth = math.log(2) ** 2 * torch.exp2(self.width.detach().round() - 1)
        d_width = -growth * low * below
        return torch.where(between != 0, y / x, 0), d_width, below * low / high + above

    def bits(self) -> Tensor:
        return rounded(self.width)

    @torch.no_grad()
    def assign(self, low: Tensor, high: Tensor) -> None:
        self.qmax.copy_(high)
        self.width.copy_(torch.log2(torch.log2(high / low) + 1) + 1)
        self.clip_()

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep width and range in their bounds."""
        self.width.clamp_(2, WIDEST_BITS)
        self.qmax.clamp_(LEAST, MOST)
