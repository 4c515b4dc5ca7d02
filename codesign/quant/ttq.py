"""TTQ: ternary weights whose two values are learned."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.quant.codebook import Codebook

THRESHOLD = 0.05


class TtqFunction(torch.autograd.Function):
    """{-n, 0, p}: dx = p, 1, n times the gradient where x is over, within, under the threshold.

    dp is the sum over the positive weights, dn minus that over the negative ones.
    """

    @staticmethod
    def forward(ctx, x: Tensor, p: Tensor, n: Tensor, delta: Tensor, placed: Tensor) -> Tensor:
        over, under = x > delta, x < -delta
        ctx.save_for_backward(over, under, p, n)
        return placed[0] * over - placed[1] * under

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        over, under, p, n = ctx.saved_tensors
        slope = torch.where(over, p, torch.where(under, n, 1.0))
        d_p, d_n = ((grad * part).sum_to_size(p.shape) for part in (over, under))
        return grad * slope, d_p, -d_n, None, None


class TtqQuantiser(Codebook):
    """W = p where W > D, -n where W < -D, else 0; D = 0.05 max|W|, p and n learned; 2 bits only.

    "Trained Ternary Quantization" (Zhu et al., ICLR 2017). p and n begin as the means of what they
    stand for. The paper prints dn without the minus that its own definition gives.
    """

    legal = range(2, 3)
    own_sign = True

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.positive = nn.Parameter(torch.ones(self.shape))
        self.negative = nn.Parameter(torch.ones(self.shape))

    @property
    def is_learned(self) -> bool:  # type: ignore[override]
        return self.positive.requires_grad

    @torch.no_grad()
    def calibrate_once(self, x: Tensor, delta: Tensor) -> None:
        """Begin with the mean sizes of both sides."""
        if self.calibrated:
            return
        for parameter, kept in ((self.positive, x > delta), (self.negative, x < -delta)):
            share = self.per_slice(kept.to(x.dtype)).clamp(min=1 / x.numel())
            parameter.copy_((self.per_slice(x.abs() * kept) / share).clamp(min=2.0**-12))
        self.calibrated.fill_(True)

    def quantise(self, x: Tensor) -> Tensor:
        delta = THRESHOLD * self.per_slice(x.detach().abs(), mean=False)
        self.calibrate_once(x, delta)
        placed = self.placed(torch.stack([self.positive, self.negative]))
        return TtqFunction.apply(x, self.positive, self.negative, delta, placed)

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep both values over 2^-12."""
        self.positive.clamp_(min=2.0**-12)
        self.negative.clamp_(min=2.0**-12)
