"""PACT: activations clipped to a learned range."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.quant.given_width import GivenWidth
from codesign.quant.uniform import Grid, power_of_two, snap

FIRST_CLIP = 6.0


class PactFunction(torch.autograd.Function):
    """Quantised clip(x, 0, a): dx = 1[0 <= x < a], da = 1[x >= a] (Choi et al., 2018)."""

    @staticmethod
    def forward(ctx, x: Tensor, clip: Tensor, grid: Grid) -> Tensor:
        ctx.save_for_backward(x, grid.step * grid.levels)
        return snap(x, grid)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        x, top = ctx.saved_tensors
        return grad * ((x >= 0) & (x < top)), (grad * (x >= top)).sum(), None


class PactQuantiser(GivenWidth):
    """y = clip(x, 0, a) in 2^k - 1 steps, a learned ("PACT", Choi et al., 2018); unsigned only.

    The paper's L2 penalty on a is `decay` times a^2 / 2, added to its gradient. With `as_power` the
    step is rounded to a power of two.
    """

    legal = range(1, 9)
    own_sign = False
    one_scale = True
    decay = 1e-4
    function: type[torch.autograd.Function] = PactFunction

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.clip = nn.Parameter(torch.tensor(FIRST_CLIP))
        self.clip.register_hook(lambda grad: grad + self.decay * self.clip.detach())

    @property
    def is_learned(self) -> bool:  # type: ignore[override]
        return self.clip.requires_grad

    def scale(self, x: Tensor) -> Tensor:
        step = self.clip.detach() / self.levels
        return power_of_two(step) if self.as_power else step

    def quantise(self, x: Tensor) -> Tensor:
        top = torch.ones_like(self.zero) * self.levels
        return self.function.apply(x, self.clip, Grid(self.scale(x), top, signed=False))

    @torch.no_grad()
    def clip_(self) -> None:
        """Keep the range over 2^-8."""
        self.clip.clamp_(min=2.0**-8)
