"""QNN: a uniform grid on [-1, 1]."""

from __future__ import annotations

import torch
from torch import Tensor

from codesign.quant.given_width import GivenWidth, StraightThrough
from codesign.quant.uniform import Grid, snap, within


class QnnQuantiser(GivenWidth):
    """Uniform k bits on [-1, 1] ([0, 1] unsigned) with a saturating straight-through estimator.

    "Quantized Neural Networks" (Hubara et al., JMLR 2018). Latent weights are kept in [-1, 1], and fill
    it from the first training step on: as usually drawn, all of them would round to 0. The authors
    get there by learning rates over Glorot's factor of each layer.
    """

    legal = range(1, 9)

    def __init__(
        self,
        bits: int,
        is_weight: bool,
        signed: bool,
        as_power: bool = False,
        shape: tuple[int, ...] = (),
    ) -> None:
        super().__init__(bits, is_weight, signed, ())
        self.as_power = as_power
        self.register_buffer("filled", torch.tensor(False))

    @torch.no_grad()
    def fill_latent(self, x: Tensor) -> None:
        """Stretch smaller latent weights to [-1, 1], once."""
        if self.is_weight and self.training and x.is_leaf and x.requires_grad and not self.filled:
            x.div_(x.abs().max().clamp(torch.finfo(x.dtype).tiny, 1))
            self.filled.fill_(True)

    def scale(self, x: Tensor) -> Tensor:
        step = torch.ones_like(self.zero) / self.levels
        return torch.exp2(torch.log2(step).ceil()) if self.as_power else step

    def grid(self, x: Tensor) -> Grid:
        """The grid of 2^b - 1 levels (2^b unsigned) up to 1."""
        return Grid(self.scale(x), torch.ones_like(self.zero) * self.levels, self.signed)

    def quantise(self, x: Tensor) -> Tensor:
        self.fill_latent(x)
        self.bound_latent(x)
        grid = self.grid(x)
        return StraightThrough.apply(x, snap(x, grid), within(x, grid))
