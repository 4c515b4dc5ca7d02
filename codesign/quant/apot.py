"""APoT: levels are sums of powers of two, so that a product is a few shifts."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor, nn

from codesign.quant.given_width import GivenWidth
from codesign.quant.staircase import Staircase
from codesign.quant.uniform import power_of_two

FIRST_CLIP = {True: 3.0, False: 6.0}  # of normalised weights, and of activations


def level_integers(bits: int) -> list[int]:
    """The sizes of `bits` bits as whole numbers, rising from 0.

    The sum of n = bits // 2 terms {0, 2^-i, 2^-(i+n), 2^-(i+2n)}, i < n, with one term of one bit
    more between the second and third powers of the others where `bits` is odd.
    """
    terms, odd = bits // 2, bits % 2
    most = 3 * terms + odd - 1
    starts = (0, terms, 2 * terms + odd)
    digits = [[0, *(1 << (most - i - start) for start in starts)] for i in range(terms)]
    digits += [[0, 1 << (most - 2 * terms)]] * odd
    return sorted({sum(chosen) for chosen in product(*digits)})


class ApotFunction(torch.autograd.Function):
    """y = sgn(x) s L with L the nearest level: dx = 1 up to the clip a, else 0; da = (y - x)/a, sgn x."""

    @staticmethod
    def forward(ctx, x: Tensor, clip: Tensor, y: Tensor, inside: Tensor) -> Tensor:
        ctx.save_for_backward(x, clip, y, inside)
        return y

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, clip, y, inside = ctx.saved_tensors
        d_clip = (grad * (y - x * inside) / clip).sum_to_size(clip.shape)
        return grad * inside, d_clip, None, None


class ApotQuantiser(GivenWidth):
    """Q = a P(clip(x/a, -1, 1)) on sums of powers of two, a learned (APoT; Li, Dong and Wang, ICLR 2020).

    da = P(x/a) - x/a inside the clip and sgn x outside. One bit of weights is their sign, and they
    are normalised to mean 0 and deviation 1 before, as published; here they get their deviation
    back after, which takes no gradient, cancels in BatchNorm and serves layers without one.
    Integers are wider than the width: 3, 4, 5, 6 bits of weights span 4, 5, 7, 8.
    """

    legal = range(1, 7)

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.clip = nn.Parameter(torch.full(self.shape, FIRST_CLIP[self.is_weight]))

    @property
    def is_learned(self) -> bool:  # type: ignore[override]
        return self.clip.requires_grad

    def integers(self) -> Tensor:
        """The levels over the step, from 0, (n,)."""
        found = level_integers(int(self.width) - self.signed)
        return torch.tensor(found, dtype=torch.float32, device=self.clip.device)

    @torch.no_grad()
    def scale(self, x: Tensor) -> Tensor:
        unit = self._deviation(x) if self.is_weight else 1.0
        step = self.clip * unit / self.integers()[-1]
        return power_of_two(step) if self.as_power else step

    def _deviation(self, x: Tensor) -> Tensor:
        return x.std(correction=0).clamp(min=1e-6)

    def _normalised(self, x: Tensor) -> Tensor:
        deviation = self._deviation(x)
        return (x - x.mean()) / deviation * deviation.detach()

    def staircase(self) -> Staircase | None:
        if self.signed:
            return None
        integers, step = self.integers(), self.scale(self.zero)
        return Staircase((integers[1:] + integers[:-1]) / 2 * step, integers[1:], step)

    def quantise(self, x: Tensor) -> Tensor:
        scale = self.scale(x)
        x = self._normalised(x) if self.is_weight else x
        top = scale * self.integers()[-1]
        low = -top if self.signed else torch.zeros_like(top)
        inside = (x >= low) & (x <= top)
        return ApotFunction.apply(x, self.clip, self._snap(x.detach(), scale), inside)

    @torch.no_grad()
    def _snap(self, x: Tensor, scale: Tensor) -> Tensor:
        if not self.signed:
            return self.staircase().climb(x)
        integers = self.integers()
        at = torch.bucketize(x.abs() / scale, (integers[1:] + integers[:-1]) / 2)
        return torch.where(x < 0, -integers[at], integers[at]) * scale

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Brevitas' four values; the width is that of the integers."""
        width = int(self.integers()[-1]).bit_length() + self.signed
        return self.quantise(x), self.scale(x), self.zero, self.zero + width

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep the range over 2^-8."""
        self.clip.clamp_(min=2.0**-8)
