"""LQ-Net: a basis of K real numbers for the K bits, fitted to what it quantises."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from codesign.quant.codebook import Codebook, grid_step
from codesign.quant.given_width import StraightThrough
from codesign.quant.quantiser import Quantiser
from codesign.quant.staircase import Staircase

KEEP = 0.9
FIRST_ROUNDS = 10
SAMPLES = 1 << 14


def binary_codes(bits: int, signed: bool, device: torch.device | None = None) -> Tensor:
    """Every e in {-1, 1}^K, or {0, 1}^K, (2^K, K)."""
    digits = (-1.0, 1.0) if signed else (0.0, 1.0)
    return torch.tensor(list(product(digits, repeat=bits)), device=device)


def nearest(rows: Tensor, basis: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
    """Nearest level v.e of each element of `rows` (R, n) by `basis` (R, K), and its code (R, n, K)."""
    levels, order = (basis @ codes.T).sort(1)
    middles = ((levels[:, 1:] + levels[:, :-1]) / 2).contiguous()
    index = torch.searchsorted(middles, rows.contiguous())
    return levels.gather(1, index), codes[order.gather(1, index)]


def refitted(rows: Tensor, codes: Tensor) -> Tensor:
    """The basis with the least squared error for these codes: (B B')^-1 B x for each row."""
    gram = codes.transpose(1, 2) @ codes
    gram = gram + 1e-4 * rows.shape[1] * torch.eye(codes.shape[2], device=rows.device)
    return torch.linalg.solve(gram, codes.transpose(1, 2) @ rows[:, :, None])[:, :, 0]


class LqQuantiser(Codebook):
    """Base of both forms: Q(x) = v.e by the nearest level, v by QEM with a moving average.

    "LQ-Nets" (Zhang et al., ECCV 2018): each training step alternates codes and basis once, and
    v <- 0.9 v + 0.1 v_new. The first basis are powers of two up to max|x|, fitted ten times. With
    `as_power` v is rounded to integers of 8 bits (all together) times a power of two.
    """

    legal = range(1, 5)

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.register_buffer("basis", torch.ones((self.shape or (1,))[0], bits))

    def set_bits(self, bits: int) -> None:
        super().set_bits(bits)
        self.basis = torch.ones(len(self.basis), bits, device=self.basis.device)
        self.recalibrate()

    def codes(self) -> Tensor:
        """The codes of the width, where the basis lies."""
        return binary_codes(self.basis.shape[1], self.signed, self.basis.device)

    @torch.no_grad()
    def follow(self, rows: Tensor) -> None:
        """Begin with the tensor seen first, then move with every step of training."""
        if not self.calibrated:
            places = torch.arange(self.basis.shape[1], dtype=rows.dtype, device=rows.device)
            reach = rows.abs().amax(1, keepdim=True).clamp(min=2.0**-12)
            self.basis = torch.exp2(places) * reach / torch.exp2(places).sum()
            for _ in range(FIRST_ROUNDS):
                self.basis = self._fitted(rows)
            self.calibrated.fill_(True)
        elif self.training:
            self.basis = KEEP * self.basis + (1 - KEEP) * self._fitted(rows)

    def _fitted(self, rows: Tensor) -> Tensor:
        fitted = refitted(rows, nearest(rows, self.basis, self.codes())[1])
        return fitted if self.signed else fitted.clamp(min=2.0**-16)

    def placed_basis(self) -> Tensor:
        """v as it is used: on a grid that holds every sum, or as it is."""
        if not self.as_power:
            return self.basis
        self.step = grid_step(self.basis.abs().sum(1) + self.basis.shape[1] * 2.0**-8, self.signed)
        return (self.basis / self.step).round() * self.step


class LqWeights(LqQuantiser):
    """e in {-1, 1}^K, one basis per filter; straight-through everywhere."""

    own_sign = True

    def quantise(self, x: Tensor) -> Tensor:
        rows = x.detach().reshape(len(self.basis), -1)
        self.follow(rows)
        with torch.no_grad():
            y, _ = nearest(rows, self.placed_basis(), self.codes())
        return StraightThrough.apply(x, y.reshape(x.shape), None)


class LqActs(LqQuantiser):
    """e in {0, 1}^K, one basis per layer; straight-through from 0 to the largest level.

    A basis stays positive, so that 0 is the lowest level. QEM sees 2^14 elements of a batch.
    """

    own_sign = False
    one_scale = True

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.has_qonnx_form = self.as_power

    def staircase(self) -> Staircase:
        levels = (self.placed_basis() @ self.codes().T).sort(1).values[0]
        thresholds = (levels[1:] + levels[:-1]) / 2
        return Staircase(thresholds, levels[1:] / self.step, self.step)

    def quantise(self, x: Tensor) -> Tensor:
        if self.training:
            every = max(1, x.numel() // SAMPLES)
            self.follow(x.detach().clamp(min=0).reshape(1, -1)[:, ::every])
        stairs = self.staircase()
        inside = (x >= 0) & (x <= stairs.values[-1])
        return StraightThrough.apply(x, stairs.climb(x.detach()), inside)


def lq_net(
    bits: int, is_weight: bool, signed: bool, as_power: bool, shape: tuple[int, ...]
) -> Quantiser:
    """LQ-Net for weights or unsigned activations."""
    kind = LqWeights if is_weight else LqActs
    return kind(bits, is_weight, signed, as_power, shape)
