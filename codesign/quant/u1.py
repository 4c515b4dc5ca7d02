"""U1 of DQ: width and step are learned, the range follows from them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from codesign.quant.learned_step import FIRST_RANGE, STEP_MAX, STEP_MIN, LearnedStep
from codesign.quant.learned_width import clip_width, rounded, whole_levels
from codesign.quant.published import TableFunction
from codesign.quant.uniform import Grid, level_bits, snap, within


class U1Quantiser(LearnedStep):
    """Uniform quantiser with learned width b and step d; qmax = (2^(b-1) - 1) d.

    "Mixed Precision DNNs" (Uhlich et al., ICLR 2020, U1): inside db = 0, dd = (Q - x)/d; outside
    db = 2^(b-1) ln2 d sgn x, dd = (2^(b-1) - 1) sgn x (2^b for unsigned grids). b is rounded
    before use, straight-through. Raises BadInput for 1 bit signed.
    """

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.width = nn.Parameter(torch.full(self.shape, float(bits)))
        levels = self.levels_of(bits)
        self.assign(torch.full(self.shape, FIRST_RANGE) / levels, levels)

    @torch.no_grad()
    def grid(self) -> Grid:
        return Grid(self.rounded_step(), whole_levels(self.width, self.signed), self.signed)

    def snap(self, x: Tensor) -> Tensor:
        """Nearest grid value of every element."""
        return snap(x, self.grid())

    def factors(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The row U1 of the table: dQ/dx, dQ/dd, dQ/db."""
        step, levels, _ = self.grid()
        inside = within(x, self.grid())
        sign = y / (step * levels)
        d_width = torch.where(inside, 0, (levels + 1) * math.log(2) * step * sign)
        return inside.to(x.dtype), torch.where(inside, (y - x) / step, levels * sign), d_width

    def quantise(self, x: Tensor) -> Tensor:
        self.calibrate_once(x)
        if not torch.is_grad_enabled():
            return self.snap(x)
        return TableFunction.apply(x, self.step, self.width, self)

    def bits(self) -> Tensor:
        return rounded(self.width)

    def set_bits(self, bits: int) -> None:
        """Keep the range, choose the step for `bits` bits."""
        levels = self.levels_of(bits)
        self.assign(self.grid().step * (self.grid().levels / levels), levels)

    @torch.no_grad()
    def assign(self, step: Tensor, levels: Tensor) -> None:
        self.place_step(step)
        self.width.copy_(level_bits(levels, self.signed))

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep step and width in their bounds."""
        self.step.clamp_(STEP_MIN, STEP_MAX)
        clip_width(self.width, self.signed)

    @torch.no_grad()
    def freeze(self) -> None:
        self.assign(self.grid().step, self.grid().levels)
        super().freeze()
