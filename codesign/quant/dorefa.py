"""DoReFa: weights through tanh onto a grid of odd numbers, activations clipped to [0, 1]."""

from __future__ import annotations

import torch
from torch import Tensor

from codesign.quant.given_width import GivenWidth, StraightThrough
from codesign.quant.uniform import Grid, snap, within


class DorefaQuantiser(GivenWidth):
    """w = 2 q_k(tanh w / (2 max|tanh w|) + 1/2) - 1 and a = q_k(clip(a, 0, 1)).

    "DoReFa-Net" (Zhou et al., 2016), q_k(r) = round((2^k - 1) r) / (2^k - 1), straight-through.
    Weights are odd multiples of 1/(2^k - 1), so integers that hold them have k + 1 bits; a signed
    activation is quantised like QNN's. 2 to 7 bits for weights.
    """

    legal = range(1, 9)
    one_scale = True

    def scale(self, x: Tensor) -> Tensor:
        top = 2 ** int(self.width) - 1 if self.is_weight else self.levels
        return torch.ones_like(self.zero) / top

    def quantise(self, x: Tensor) -> Tensor:
        if self.is_weight:
            return self._weights(x)
        grid = Grid(self.scale(x), torch.ones_like(self.zero) * self.levels, self.signed)
        return StraightThrough.apply(x, snap(x, grid), within(x, grid))

    def _weights(self, x: Tensor) -> Tensor:
        bounded = torch.tanh(x)
        share = bounded / (2 * bounded.detach().abs().max().clamp(min=1e-12)) + 0.5
        top = 2 ** int(self.width) - 1
        # Whole numbers times the step: the float32 values that the exported node gives, too.
        values = (2 * (share.detach() * top).round() - top) * self.scale(x)
        return 2 * StraightThrough.apply(share, values / 2, None)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Brevitas' four values; the width of weights is that of the odd integers."""
        return self.quantise(x), self.scale(x), self.zero, self.width + self.is_weight
