"""What quantisers onto powers of two share: their grid, its bands, and its integers."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from codesign.errors import BadInput
from codesign.quant.learned_width import rounded
from codesign.quant.published import TableFunction
from codesign.quant.quantiser import NamedQuantiser
from codesign.quant.staircase import Staircase
from codesign.quant.uniform import power_of_two

WIDEST_BITS = 5
LEAST, MOST = 2.0**-24, 2.0**8


class PowerGrid(NamedTuple):
    """Values +-2^e from `low` to `high`, both powers of two; unsigned grids hold 0 and no minus."""

    low: Tensor
    high: Tensor
    signed: bool


def snap(x: Tensor, grid: PowerGrid) -> Tensor:
    """Nearest power (in the exponent) of every element.

    Q = sgn(x) * clip(2^floor(1/2 + log2|x|), qmin, qmax); unsigned values below qmin/sqrt2 are 0.
    """
    if not grid.signed:
        return stairs_of(grid).climb(x)
    size = x.abs().clamp(min=LEAST / 4)
    power = torch.exp2(torch.floor(0.5 + torch.log2(size))).clamp(grid.low, grid.high)
    return torch.where(x < 0, -power, power)


def stairs_of(grid: PowerGrid) -> Staircase:
    """An unsigned grid by its thresholds 2^(e - 1/2)."""
    count = int(torch.log2(grid.high / grid.low)) + 1
    levels = torch.exp2(torch.arange(count, device=grid.low.device, dtype=torch.float32))
    return Staircase(levels * (grid.low / math.sqrt(2)), levels, grid.low)


def exponents_of(bits: Tensor) -> Tensor:
    """Steps between the smallest and the largest power: 2^(b-1) - 1, one bit being sign or zero."""
    return torch.exp2(bits - 1) - 1


class PowerQuantiser(NamedQuantiser):
    """Base of P1, P2 and P3 (Uhlich et al., ICLR 2020): two learned numbers give a PowerGrid.

    One bit of the width is the sign of weights, or the zero of activations; weights have no zero.
    The first grid reaches up to max|x|. Raises BadInput for a width outside 2..5 bits, or for
    signed activations.
    """

    def add_state(self, bits: int) -> None:
        self.check_bits(bits)
        self.register_buffer("calibrated", torch.tensor(False))

    @abstractmethod
    def grid(self) -> PowerGrid:
        """The grid in use."""

    @abstractmethod
    def assign(self, low: Tensor, high: Tensor) -> None:
        """Move to the grid from `low` to `high`, powers of two."""

    @abstractmethod
    def parameters_in_order(self) -> tuple[Tensor, Tensor]:
        """The two parameters in the order of `factors`."""

    @abstractmethod
    def factors(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """dQ/dx and the published derivatives by the two parameters, element by element."""

    @property
    def least_bits(self) -> int:
        return 2

    @property
    def is_learned(self) -> bool:  # type: ignore[override]
        return any(p.requires_grad for p in self.own_parameters())

    def snap(self, x: Tensor) -> Tensor:
        """Nearest grid value of every element."""
        return snap(x, self.grid())

    def quantise(self, x: Tensor) -> Tensor:
        self.calibrate_once(x)
        if not torch.is_grad_enabled():
            return self.snap(x)
        return TableFunction.apply(x, *self.parameters_in_order(), self)

    def scale(self, x: Tensor) -> Tensor:
        return self.grid().low

    def staircase(self) -> Staircase | None:
        return None if self.signed else stairs_of(self.grid())

    def bands(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where x lies below, between and above the two ends, as numbers times the sign of Q."""
        low, high, _ = self.grid()
        sign, size = y.sign(), x.abs()
        below, above = size <= low, size > high
        return sign * below, sign * ~(below | above), sign * above

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Brevitas' four values; the width is that of the integers, the powers over the smallest."""
        y = self.quantise(x)
        low, high, signed = self.grid()
        width = torch.log2(high / low).max() + 1 + signed
        return y, low, self.zero, width

    def recalibrate(self) -> None:
        self.calibrated.fill_(False)

    @torch.no_grad()
    def calibrate_once(self, x: Tensor) -> None:
        """Let the grid end at max|x|, unless that is done or it is not training yet."""
        if self.calibrated or not (self.training or self.is_weight):
            return
        size = x.abs().flatten(1).amax(1).reshape(self.shape) if self.shape else x.abs().max()
        high = power_of_two(size.clamp(2.0**-8, MOST / 4))
        self.assign(high * self.grid().low / self.grid().high, high)
        self.calibrated.fill_(True)

    def check_bits(self, bits: int) -> None:
        """Raise BadInput for a width that has no such grid."""
        if bits not in range(2, WIDEST_BITS + 1):
            raise BadInput(
                f"powers of two have 2 to {WIDEST_BITS} bits here, not {bits}: wider ones span more "
                "binary digits than an integer of the hardware",
                bits=bits,
            )
        if self.signed and not self.is_weight:
            raise BadInput(
                "powers of two have no signed activations; choose 'u3' or 'fixed' for activations"
            )

    @torch.no_grad()
    def set_bits(self, bits: int) -> None:
        """Keep the largest value, choose the smallest for `bits` bits."""
        self.check_bits(bits)
        high = self.grid().high
        self.assign(high * torch.exp2(-exponents_of(torch.full_like(high, bits))), high)

    @torch.no_grad()
    def freeze(self) -> None:
        self.assign(self.grid().low, self.grid().high)
        super().freeze()


class LearnedWidthPowers(PowerQuantiser):
    """Base of P1 and P2: a learned width b, and one learned end of the grid, named `end`.

    Both are rounded before use, straight-through: b to a whole number, the end to a power of two.
    """

    end: str

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.width = nn.Parameter(torch.full(self.shape, float(bits)))

    @property
    def learned_end(self) -> nn.Parameter:
        """The end that is a parameter."""
        return getattr(self, self.end)

    @torch.no_grad()
    def whole_width(self) -> Tensor:
        """The width as the grid uses it."""
        return self.width.round().clamp(2, WIDEST_BITS)

    @torch.no_grad()
    def whole_end(self) -> Tensor:
        """The end as the grid uses it."""
        return power_of_two(self.learned_end.clamp(LEAST, MOST))

    def growth(self) -> Tensor:
        """ln2^2 2^(b-1): the derivative of ln2 times the exponents of the tie by b."""
        return math.log(2) ** 2 * torch.exp2(self.width.detach().round() - 1)

    def parameters_in_order(self) -> tuple[Tensor, Tensor]:
        return self.width, self.learned_end

    def bits(self) -> Tensor:
        return rounded(self.width)

    @torch.no_grad()
    def assign(self, low: Tensor, high: Tensor) -> None:
        self.learned_end.copy_({"qmin": low, "qmax": high}[self.end])
        self.width.copy_(torch.log2(torch.log2(high / low) + 1) + 1)
        self.clip_()

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep width and end in their bounds."""
        self.width.clamp_(2, WIDEST_BITS)
        self.learned_end.clamp_(LEAST, MOST)
