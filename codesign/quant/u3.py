"""U3 of DQ: step and range are learned, the width follows from them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.quant.learned_step import FIRST_RANGE, STEP_MAX, STEP_MIN, LearnedStep
from codesign.quant.uniform import (
    Grid,
    InferredBits,
    UniformFunction,
    largest_level,
    level_bits,
    snap,
)

QMAX_MIN = 2.0**-8
QMAX_MAX = {True: 127.0, False: 255.0}
MARGIN = 1e-5


class U3Quantiser(LearnedStep):
    """Uniform quantiser with learned step d and range qmax; b = ceil(log2(qmax/d + 1) + signed).

    "Mixed Precision DNNs: All you need is a good parametrization" (Uhlich et al., ICLR 2020). Both
    parameters are rounded before use, straight-through: d to a power of two (optional), qmax to a
    multiple of d. Signed widths are 2..8 bits, unsigned ones 1..8.

    What differs from the paper, so that hardware, QONNX and torch agree at any moment of training:
    ties go to even; activations round qmax UP to the whole range of its width, (2^b - 1) d unsigned,
    since Quant clips nowhere else and those wires are paid for. Weights keep a learned range such as 5 d:
    they are stored quantised, so Quant's wider clip never acts on them. The floor of d is 2^-12
    (Schaefer et al., WACV 2024), as DQ's 2^-8 holds no 8-bit grid of small weights.
    `step_max` and `qmax_max` are the upper ends of both. Raises BadInput for 1 bit signed.
    """

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.step_max, self.qmax_max = STEP_MAX, QMAX_MAX[self.signed]
        self.qmax = nn.Parameter(torch.full(self.shape, FIRST_RANGE))
        self.set_bits(bits)

    @torch.no_grad()
    def grid(self) -> Grid:
        step = self.rounded_step()
        levels = (self.qmax / step).round_().clamp_(1, largest_level(8, self.signed))
        if not self.is_weight:
            levels = torch.exp2(level_bits(levels, signed=False)) - 1
        return Grid(step, levels, self.signed)

    def quantise(self, x: Tensor) -> Tensor:
        self.calibrate_once(x)
        if not torch.is_grad_enabled():
            return snap(x, self.grid())
        return UniformFunction.apply(x, self.step, self.qmax, self.grid())

    def bits(self) -> Tensor:
        return InferredBits.apply(self.step, self.qmax, self.grid())

    def set_bits(self, bits: int) -> None:
        """Keep the range, choose the step for `bits` bits."""
        levels = self.levels_of(bits)
        self.assign(self.qmax.detach() / levels, levels)

    @torch.no_grad()
    def assign(self, step: Tensor, levels: Tensor) -> None:
        self.place_step(step)
        self.qmax.copy_(self.step * levels)

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep d and qmax in their bounds, d <= qmax - 1e-5, and the width at most 8 bits.

        Where d would need more than 8 bits it is d that yields: the task loss alone always wants
        it smaller, while qmax says where the values are.
        """
        self.qmax.clamp_(QMAX_MIN, self.qmax_max)
        finest = (self.qmax / largest_level(8, self.signed)).clamp_(min=STEP_MIN)
        coarsest = (self.qmax - MARGIN).clamp_(max=self.step_max)
        self.step.copy_(torch.clamp(self.step, finest, coarsest))

    @torch.no_grad()
    def freeze(self) -> None:
        self.assign(self.grid().step, self.grid().levels)
        super().freeze()
