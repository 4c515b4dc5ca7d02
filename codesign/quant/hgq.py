"""HGQ: fractional bits are learned by gradient, per tensor, per output channel or per weight."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.quant.learned_step import STEP_MAX, STEP_MIN
from codesign.quant.learned_width import rounded
from codesign.quant.quantiser import Quantiser
from codesign.quant.uniform import Grid, power_of_two, snap, within

WIDEST_BITS = 8
KEEP_REACH = 0.99


class HgqFunction(torch.autograd.Function):
    """y = 2^-f round(x 2^f) with d = 2^-f: dx = 1 inside, dd = (y - x)/d, that is df = (x - y) ln2."""

    @staticmethod
    def forward(ctx, x: Tensor, step: Tensor, y: Tensor, used: Tensor, inside: Tensor) -> Tensor:
        ctx.save_for_backward(x, y, used, inside)
        ctx.shape = step.shape
        return y

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, y, used, inside = ctx.saved_tensors
        passed = grad * inside
        return passed, (passed * (y - x) / used).sum_to_size(ctx.shape), None, None, None


def whole_bits(size: Tensor) -> Tensor:
    """i: bits before the point, 2^(i-1) <= size < 2^i."""
    return torch.frexp(size.clamp(min=STEP_MIN)).exponent.to(size.dtype)


class HgqQuantiser(Quantiser):
    """x_q = 2^-f round(x 2^f) with dx_q/df = (x - x_q) ln2, f rounded, straight-through.

    "Gradient-based Automatic Mixed Precision Quantization for Neural Networks On-Chip" (Sun et al.,
    2024). The parameter is the step d = 2^-f, whose relative changes are steps of f. `reach` is the
    largest size of what shares an f; quantised it needs i bits before the point, so that the width is
    i + f and a sign. Widths stay at most 8 bits; recipes charge them by [ebops].
    """

    def __init__(self, bits: int, is_weight: bool, signed: bool, shape: tuple[int, ...]) -> None:
        super().__init__(signed)
        self.is_weight = is_weight
        self.shape = tuple(shape)
        self.start_bits = bits
        self.step = nn.Parameter(torch.ones(shape))
        self.register_buffer("reach", torch.ones(shape))
        self.register_buffer("calibrated", torch.tensor(False))

    @property
    def is_learned(self) -> bool:  # type: ignore[override]
        return self.step.requires_grad

    @torch.no_grad()
    def used_step(self) -> Tensor:
        """2^-f with f a whole number."""
        return power_of_two(self.step)

    def fraction(self) -> Tensor:
        """f as the hardware carries it, differentiable by the step."""
        return rounded(-torch.log2(self.step))

    def recalibrate(self) -> None:
        self.calibrated.fill_(False)

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep the step in its bounds."""
        self.step.clamp_(STEP_MIN, STEP_MAX)

    @torch.no_grad()
    def freeze(self) -> None:
        self.step.copy_(self.used_step())
        super().freeze()


class HgqWeights(HgqQuantiser):
    """Weights; a group all of whose values round to 0 has 0 bits: it is pruned.

    With `each` every weight has its own f. What is stored are integers over the finest step of the
    tensor (or of the output channel, where that has its own f).
    """

    def __init__(self, bits: int, shape: tuple[int, ...], each: bool) -> None:
        super().__init__(bits, True, True, () if each else shape)
        self.each = each

    @torch.no_grad()
    def scale(self, x: Tensor) -> Tensor:
        step = self.used_step()
        return step.min() if self.each else step

    @torch.no_grad()
    def observe(self, x: Tensor) -> None:
        """Note the reach of every group, and begin with steps of the given width."""
        size = x.abs()
        if self.shape:
            size = size.flatten(1).amax(1).reshape(self.shape)
        self.reach = size.clone() if self.each else size if self.shape else size.max()
        if not self.calibrated:
            if self.step.shape != self.reach.shape:
                self.step = nn.Parameter(torch.ones_like(self.reach))
            self.set_bits(self.start_bits)
            self.calibrated.fill_(True)

    def quantise(self, x: Tensor) -> Tensor:
        self.observe(x)
        step = self.used_step()
        with torch.no_grad():
            top = self.scale(x) * (2 ** (WIDEST_BITS - 1) - 1)
            y = ((x / step).round() * step).clamp(-top, top)
        return HgqFunction.apply(x, self.step, y, step, torch.ones_like(x, dtype=torch.bool))

    @torch.no_grad()
    def set_bits(self, bits: int) -> None:
        """The finest steps at which the largest rounds to an integer of `bits` bits."""
        largest = (self.reach.max() if self.each else self.reach).clamp(min=STEP_MIN)
        finest = torch.exp2(torch.log2(largest / (2 ** (bits - 1) - 0.5)).ceil())
        self.step.copy_(finest.expand_as(self.step))
        self.clip_()

    def bits(self) -> Tensor:
        """i + f + 1 of every group, 0 where it is pruned."""
        step = self.used_step()
        largest = (self.reach / step).round() * step
        return (torch.relu(whole_bits(largest) + self.fraction()) + 1) * (largest > 0)

    def integer_bits(self) -> int:
        """Width of the stored integers."""
        step = self.used_step()
        # A coarse step may round its weight up, over what the finest would make of it.
        most = ((self.reach / step).round() * step / self.scale(self.reach)).max()
        return min(WIDEST_BITS, max(2, int(most).bit_length() + 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Brevitas' four values; the width is that of the stored integers."""
        return self.quantise(x), self.scale(x), self.zero, self.zero + self.integer_bits()

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep integers within 8 bits, and what is pruned within reach of a return."""
        largest = self.reach.max() if self.each else self.reach
        finest = torch.exp2(torch.log2((largest / 127).clamp(min=STEP_MIN)).ceil())
        self.step.copy_(torch.clamp(self.step, finest, torch.maximum(4 * self.reach, finest)))
        self.step.clamp_(STEP_MIN, STEP_MAX)


class HgqActs(HgqQuantiser):
    """Activations, one f for all: clip(x) to i bits before the point, i from the reach seen.

    The reach is the largest of a batch, and forgets a hundredth with every step. At least 1 bit.
    """

    def __init__(self, bits: int, signed: bool) -> None:
        super().__init__(bits, False, signed, ())

    @torch.no_grad()
    def used_step(self) -> Tensor:
        top = torch.exp2(whole_bits(self.reach))
        return torch.clamp(power_of_two(self.step), top / 2 ** (WIDEST_BITS - self.signed), top / 2)

    @torch.no_grad()
    def grid(self) -> Grid:
        """The grid in use."""
        step = self.used_step()
        return Grid(step, torch.exp2(whole_bits(self.reach)) / step - 1, self.signed)

    def scale(self, x: Tensor) -> Tensor:
        return self.used_step()

    @torch.no_grad()
    def observe(self, x: Tensor) -> None:
        """Follow the largest size, and begin with a step of the given width."""
        largest = (x.abs().max() if self.signed else x.max()).clamp(min=2.0**-6)
        self.reach = torch.maximum(KEEP_REACH * self.reach, largest) if self.calibrated else largest
        if not self.calibrated:
            self.set_bits(self.start_bits)
            self.calibrated.fill_(True)

    def quantise(self, x: Tensor) -> Tensor:
        if self.training:
            self.observe(x.detach())
        grid = self.grid()
        y = snap(x.detach(), grid)
        return HgqFunction.apply(x, self.step, y, grid.step, within(x, grid))

    @torch.no_grad()
    def set_bits(self, bits: int) -> None:
        self.step.copy_(torch.exp2(whole_bits(self.reach) + int(self.signed) - bits))
        self.clip_()

    def bits(self) -> Tensor:
        width = whole_bits(self.reach) + self.fraction() + int(self.signed)
        return width.clamp(self.least_bits, WIDEST_BITS)


def hgq(
    bits: int, is_weight: bool, signed: bool, as_power: bool, shape: tuple[int, ...]
) -> Quantiser:
    """One f for a tensor or, by `shape`, for each output channel; steps are powers of two."""
    return HgqWeights(bits, shape, each=False) if is_weight else HgqActs(bits, signed)


def hgq_each(
    bits: int, is_weight: bool, signed: bool, as_power: bool, shape: tuple[int, ...]
) -> Quantiser:
    """One f for each weight; activations as `hgq`."""
    return HgqWeights(bits, (), each=True) if is_weight else HgqActs(bits, signed)
