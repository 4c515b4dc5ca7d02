"""INQ: weights become 0 or a power of two, a portion of a layer at a time."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from codesign.quant.given_width import GivenWidth, StraightThrough

LEAST = 2.0**-24


def top_exponent(largest: Tensor) -> Tensor:
    """n1 = floor(log2(4 s / 3)) of s = max|W| > 0, exact in float32."""
    mantissa, exponent = torch.frexp(largest)
    # s = m 2^e with 1/2 <= m < 1, so that 4 s / 3 reaches 2^e from m = 3/4 on.
    return (exponent - (mantissa < 0.75).int()).to(largest.dtype)


def snap(x: Tensor, top: Tensor, count: int) -> Tensor:
    """The published rule onto {0, +-2^n2, .., +-2^n1}, n1 = `top`, n2 = n1 + 1 - `count`.

    W = b sgn W where (a + b)/2 <= |W| < 3 b/2 for neighbours 0 <= a < b, else 0. What lies beyond
    3/2 2^n1 gets 2^n1: only weights that grew after n1 was chosen can.
    """
    size = x.abs()
    power = torch.exp2(torch.minimum(top_exponent(size.clamp(min=LEAST / 4)), top))
    low = torch.exp2(top + 1 - count)
    rounded = torch.where(size < low / 2, 0, torch.maximum(power, low))
    return torch.where(x < 0, -rounded, rounded)


class InqQuantiser(GivenWidth):
    """b bits are 0 and 2^(b-1) powers of two: P = {0, +-2^n2, .., +-2^n1}, n2 = n1 + 1 - 2^(b-1)/2.

    "Incremental Network Quantization" (Zhou et al., ICLR 2017): n1 = floor(log2(4 s / 3)) with s =
    max|W| of the layer (or output channel). `held` are the weights quantised for good, NaN where
    one is free: training sees free weights as they are and passes gradients to them alone (the mask T),
    evaluation sees all of them quantised. `fix` holds a portion more. n1 is chosen with
    the first portion and kept, so that no more than 2^(b-1) + 1 values ever occur.
    """

    legal = range(2, 6)
    # Share of the weights that are 0 for good before the first portion.
    cut: float = 0.0

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.register_buffer("held", torch.full((1,), torch.nan))
        self.register_buffer("top", torch.full(self.shape, torch.nan))

    @property
    def exponents(self) -> int:
        """Powers of two of either sign: 2^(b-1)/2 = n1 - n2 + 1."""
        return 2 ** (int(self.width) - 2)

    @property
    def free(self) -> Tensor:
        """The mask T: where weights are still trained."""
        return self.held.isnan()

    @torch.no_grad()
    def top_of(self, x: Tensor) -> Tensor:
        """n1, as chosen with the first portion, or of `x`."""
        own = top_exponent(self.per_slice(x.abs(), mean=False).clamp(min=LEAST))
        return torch.where(self.top.isnan(), own, self.top)

    @torch.no_grad()
    def scale(self, x: Tensor) -> Tensor:
        return torch.exp2(self.top_of(x) + 1 - self.exponents)

    @torch.no_grad()
    def snap(self, x: Tensor) -> Tensor:
        """Every weight by the published rule."""
        return snap(x, self.top_of(x), self.exponents)

    @torch.no_grad()
    def fix(self, x: Tensor, portion: float, order: Tensor) -> None:
        """Quantise free weights of `x` for good until `portion` of all are, first in `order` first."""
        self.top.copy_(self.top_of(x))
        values, free = self.snap(x).flatten(), self.free.expand_as(x).flatten()
        missing = round(portion * x.numel()) - int((~free).sum())
        chosen = order[free[order]][: max(0, missing)]
        held = self.held.expand_as(x).flatten().clone()
        held[chosen] = values[chosen]
        self.held = held.reshape(x.shape)

    def quantise(self, x: Tensor) -> Tensor:
        free = self.free.expand_as(x)
        with torch.no_grad():
            y = torch.where(free, x if self.training else self.snap(x), self.held)
            latent = self.latent(x)
            if latent is not None:
                latent.copy_(y)  # momentum and weight decay have no say either
        return StraightThrough.apply(x, y, free)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Brevitas' four values; the width is that of the integers, the powers over the smallest."""
        return self.quantise(x), self.scale(x), self.zero, self.zero + self.exponents + 1

    def _load_from_state_dict(self, state: dict[str, Any], prefix: str, *rest: Any) -> None:
        """`held` gets the shape of the weights with the first portion."""
        if f"{prefix}held" in state:
            self.held = torch.empty_like(state[f"{prefix}held"])
        super()._load_from_state_dict(state, prefix, *rest)
