"""P2 of DQ: powers of two with learned width and smallest value."""

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


class P2Quantiser(PowerQuantiser):
    """Powers of two from qmin on; qmax = 2^(2^(b-1) - 1) qmin.

    "Mixed Precision DNNs" (Uhlich et al., ICLR 2020, P2), from the tie of the two ends: below qmin
    db = 0 and dqmin = 1, above qmax db = ln2^2 2^(b-1) qmax and dqmin = qmax/qmin, times sgn x;
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
        self.qmin = nn.Parameter(torch.exp2(-exponents_of(torch.full(shape, float(bits)))))

    @torch.no_grad()
    def grid(self) -> PowerGrid:
        low = power_of_two(self.qmin.clamp(LEAST, MOST))
        width = self.width.round().clamp(2, WIDEST_BITS)
        return PowerGrid(low, low * torch.exp2(exponents_of(width)), self.signed)

    def parameters_in_order(self) -> tuple[Tensor, Tensor]:
        return self.width, self.qmin

    def factors(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The row P2 of the table: dQ/dx, dQ/db, dQ/dqmin."""
        low, high, _ = self.grid()
        below, between, above = self.bands(x, y)
        growth = math.log(2) ** 2 * torch.exp2(self.width.detach().round() - 1)
        return (
            torch.where(between != 0, y / x, 0),
            growth * high * above,
            below + above * high / low,
        )

    def bits(self) -> Tensor:
        return rounded(self.width)

    @torch.no_grad()
    def assign(self, low: Tensor, high: Tensor) -> None:
        self.qmin.copy_(low)
        self.width.copy_(torch.log2(torch.log2(high / low) + 1) + 1)
        self.clip_()

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep width and range in their bounds."""
        self.width.clamp_(2, WIDEST_BITS)
        self.qmin.clamp_(LEAST, MOST)
