"""P1 of DQ: powers of two with learned width and largest value."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.quant.powers import LearnedWidthPowers, PowerGrid, exponents_of


class P1Quantiser(LearnedWidthPowers):
    """Powers of two up to qmax; qmin = 2^-(2^(b-1) - 1) qmax.

    "Mixed Precision DNNs" (Uhlich et al., ICLR 2020, P1), from the tie of the two ends: below qmin
    db = -ln2^2 2^(b-1) qmin and dqmax = qmin/qmax, above qmax db = 0 and dqmax = 1, times sgn x;
    between both are 0. b is rounded before use, straight-through.
    """

    end = "qmax"

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.qmax = nn.Parameter(torch.ones(self.shape))

    @torch.no_grad()
    def grid(self) -> PowerGrid:
        high = self.whole_end()
        return PowerGrid(high * torch.exp2(-exponents_of(self.whole_width())), high, self.signed)

    def factors(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The row P1 of the table: dQ/dx, dQ/db, dQ/dqmax."""
        low, high, _ = self.grid()
        below, between, above = self.bands(x, y)
        d_width, d_end = -self.growth() * low * below, below * low / high + above
        return torch.where(between != 0, y / x, 0), d_width, d_end
