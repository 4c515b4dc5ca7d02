"""P2 of DQ: powers of two with learned width and smallest value."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.quant.powers import LearnedWidthPowers, PowerGrid, exponents_of


class P2Quantiser(LearnedWidthPowers):
    """Powers of two from qmin on; qmax = 2^(2^(b-1) - 1) qmin.

    "Mixed Precision DNNs" (Uhlich et al., ICLR 2020, P2), from the tie of the two ends: below qmin
    db = 0 and dqmin = 1, above qmax db = ln2^2 2^(b-1) qmax and dqmin = qmax/qmin, times sgn x;
    between both are 0. b is rounded before use, straight-through.
    """

    end = "qmin"

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.qmin = nn.Parameter(torch.exp2(-exponents_of(torch.full(self.shape, float(bits)))))

    @torch.no_grad()
    def grid(self) -> PowerGrid:
        low = self.whole_end()
        return PowerGrid(low, low * torch.exp2(exponents_of(self.whole_width())), self.signed)

    def factors(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The row P2 of the table: dQ/dx, dQ/db, dQ/dqmin."""
        low, high, _ = self.grid()
        below, between, above = self.bands(x, y)
        d_width, d_end = self.growth() * high * above, below + above * high / low
        return torch.where(between != 0, y / x, 0), d_width, d_end
