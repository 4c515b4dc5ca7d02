"""U2 of DQ: width and range are learned, the step follows from them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from codesign.quant.learned_step import FIRST_RANGE, LearnedGrid
from codesign.quant.learned_width import clip_width, rounded, whole_levels
from codesign.quant.published import TableFunction
from codesign.quant.u3 import QMAX_MAX, QMAX_MIN
from codesign.quant.uniform import Grid, level_bits, snap, within


class U2Quantiser(LearnedGrid):
    """Uniform quantiser with learned width b and range qmax; d = qmax / (2^(b-1) - 1).

    "Mixed Precision DNNs" (Uhlich et al., ICLR 2020, U2): inside
    db = -[2^(b-1) ln2 / (2^(b-1) - 1)] (Q - x), dqmax = (Q - x) / qmax; outside db = 0, dqmax =
    sgn x (2^b for unsigned grids). b is rounded before use, straight-through. Raises BadInput for
    1 bit signed.
    """

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.levels_of(bits)
        self.width = nn.Parameter(torch.full(self.shape, float(bits)))
        self.qmax = nn.Parameter(torch.full(self.shape, FIRST_RANGE))

    @torch.no_grad()
    def grid(self) -> Grid:
        levels = whole_levels(self.width, self.signed)
        return Grid(self.legal_step(self.qmax / levels), levels, self.signed)

    def snap(self, x: Tensor) -> Tensor:
        """Nearest grid value of every element."""
        return snap(x, self.grid())

    def factors(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The row U2 of the table: dQ/dx, dQ/dqmax, dQ/db."""
        step, levels, _ = self.grid()
        inside, qmax = within(x, self.grid()), step * levels
        growth = (levels + 1) * math.log(2) / levels
        d_width = torch.where(inside, -growth * (y - x), 0)
        return inside.to(x.dtype), torch.where(inside, (y - x) / qmax, y / qmax), d_width

    def quantise(self, x: Tensor) -> Tensor:
        self.calibrate_once(x)
        if not torch.is_grad_enabled():
            return self.snap(x)
        return TableFunction.apply(x, self.qmax, self.width, self)

    def bits(self) -> Tensor:
        return rounded(self.width)

    @torch.no_grad()
    def set_bits(self, bits: int) -> None:
        """Keep the range, choose the step for `bits` bits."""
        self.levels_of(bits)
        self.width.fill_(float(bits))

    @torch.no_grad()
    def assign(self, step: Tensor, levels: Tensor) -> None:
        self.qmax.copy_(self.legal_step(step) * levels)
        self.width.copy_(level_bits(levels, self.signed))

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep range and width in their bounds."""
        self.qmax.clamp_(QMAX_MIN, QMAX_MAX[self.signed])
        clip_width(self.width, self.signed)

    @torch.no_grad()
    def freeze(self) -> None:
        self.assign(self.grid().step, self.grid().levels)
        super().freeze()
