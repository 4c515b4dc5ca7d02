"""QNN: a uniform grid on [-1, 1]."""

from __future__ import annotations

import torch
from torch import Tensor

from codesign.quant.given_width import GivenWidth, StraightThrough
from codesign.quant.uniform import Grid, snap, within


class QnnQuantiser(GivenWidth):
    """Uniform k bits on [-1, 1] ([0, 1] unsigned) with a saturating straight-through estimator.

    "Quantized Neural Networks" (Hubara et al., JMLR 2018). Latent weights are kept in [-1, 1], and fill
    it from the first training step on: as usually drawn, all of them would round to 0. Their gradient
    grows by the square of that stretch, so that they move as fast in the grid as before: the authors'
    learning rates are over the square of Glorot's factor of each layer.
    """

    legal = range(1, 9)
    one_scale = True

    def add_state(self, bits: int) -> None:
        super().add_state(bits)
        self.register_buffer("stretch", torch.tensor(0.0))

    def fill_latent(self, x: Tensor) -> None:
        """Stretch smaller latent weights to [-1, 1], once."""
        latent = self.latent(x)
        if latent is not None and not self.stretch:
            self.stretch.copy_(1 / latent.abs().max().clamp(torch.finfo(x.dtype).tiny, 1))
            latent.mul_(self.stretch)

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
        gain = self.stretch.square().clamp_min(1)
        return StraightThrough.apply(x, snap(x, grid), within(x, grid) * gain)
