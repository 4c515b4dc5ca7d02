"""What quantisers with a uniform learned grid have in common: its first value, a step's region."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn

from codesign.errors import BadInput
from codesign.quant.config import check_width
from codesign.quant.gradients import ModifiedGradient
from codesign.quant.quantiser import NamedQuantiser
from codesign.quant.uniform import Grid, best_step, largest_level, power_of_two

STEP_MIN, STEP_MAX = 2.0**-12, 8.0
FIRST_RANGE = 2.0
CALIBRATION_SAMPLES = 1 << 16

# (x, levels, signed, as_power, shape) -> step of `shape`.
FirstStep = Callable[[Tensor, Tensor, bool, bool, tuple[int, ...]], Tensor]


class LearnedGrid(NamedQuantiser):
    """A quantiser with a learned uniform grid, one per tensor, or per channel if `shape` says so.

    The first grid is what `first_step` says of the first tensor seen; activations wait for
    training mode, so that evaluation never changes a network. `as_power` rounds the step to a
    power of two, straight-through; steps stay in [2^-12, 8].
    """

    def add_state(self, bits: int) -> None:
        self.first_step: FirstStep = best_step
        self.gradient = "ste"
        self.register_buffer("calibrated", torch.tensor(False))

    @abstractmethod
    def grid(self) -> Grid:
        """The grid in use."""

    @abstractmethod
    def assign(self, step: Tensor, levels: Tensor) -> None:
        """Move to a grid of `step` (clamped to its region) with integers up to `levels`."""

    @property
    def is_learned(self) -> bool:  # type: ignore[override]
        return any(p.requires_grad for p in self.own_parameters())

    def train_through(self, x: Tensor) -> Tensor:
        if self.gradient != "ste" and torch.is_grad_enabled():
            x = ModifiedGradient.apply(x, self, self.gradient)
        return self.quantise(x)

    def scale(self, x: Tensor) -> Tensor:
        return self.grid().step

    def recalibrate(self) -> None:
        self.calibrated.fill_(False)

    def legal_step(self, step: Tensor) -> Tensor:
        """`step` rounded if it must be, and clamped to its region."""
        return (power_of_two(step) if self.as_power else step).clamp(STEP_MIN, STEP_MAX)

    @torch.no_grad()
    def calibrate_once(self, x: Tensor) -> None:
        """Choose the first grid from `x`, unless that is done or it is not training yet."""
        if self.calibrated or not (self.training or self.is_weight):
            return
        sample = x if self.shape else x.flatten()[:: max(1, x.numel() // CALIBRATION_SAMPLES)]
        levels = self.grid().levels
        step = self.first_step(sample.detach(), levels, self.signed, self.as_power, self.shape)
        self.assign(step, levels)
        self.calibrated.fill_(True)

    def levels_of(self, bits: int) -> Tensor:
        """Largest integer of a legal width; raises BadInput for 1 bit signed."""
        check_width("bits", bits)
        if self.signed and bits == 1:
            raise BadInput(
                "a signed learned quantiser starts at 2 bits (-1, 0, +1 times the step), and 1 was "
                "asked for; state weight bits of 1 in the QuantConfig to get the bipolar quantiser",
                bits=bits,
            )
        return torch.tensor(float(largest_level(bits, self.signed)), device=self.zero.device)


class LearnedStep(LearnedGrid):
    """A learned grid with its step as a parameter."""

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.step = nn.Parameter(torch.ones(self.shape))

    def rounded_step(self) -> Tensor:
        """The step as the grid uses it."""
        return power_of_two(self.step.detach()) if self.as_power else self.step.detach()

    @torch.no_grad()
    def place_step(self, step: Tensor) -> None:
        """Store `step`, rounded if it must be and clamped to its region."""
        self.step.copy_(self.legal_step(step))
