"""SAT, scale-adjusted training: DoReFa's weights on a rescaled grid, PACT with a calibrated gradient."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from codesign.quant.given_width import GivenWidth, StraightThrough
from codesign.quant.pact import PactQuantiser
from codesign.quant.quantiser import Quantiser
from codesign.quant.uniform import Grid, snap


class SatWeights(GivenWidth):
    """w = c (2 q(r) - 1), r = tanh w / (2 max|tanh w|) + 1/2, q(r) = min(floor(2^b r), 2^b - 1) / 2^b.

    "Towards Efficient Training for Neural Network Quantization" (Jin, Yang and Liao, 2019), with
    c = 1 / (sqrt(n_out) std(2 q - 1)) and n_out = outputs times kernel elements: the variance that
    keeps the size of gradients through the layer. The paper rescales where no BatchNorm follows;
    here every layer is, since BatchNorm cancels c. max and c take no gradient, floor is
    straight-through. Integers are -2^(b-1) .. 2^(b-1) - 1, all b bits.
    """

    legal = range(2, 9)
    narrow = False
    own_sign = True
    one_scale = True

    def scale(self, x: Tensor) -> Tensor:
        return self._scale(self._integers(self._share(x)), x)

    def quantise(self, x: Tensor) -> Tensor:
        share = self._share(x)
        integers = self._integers(share)
        scale = self._scale(integers, x)
        steps = 2.0 ** int(self.width)
        return StraightThrough.apply(share * (steps * scale), integers * scale, None)

    def _share(self, x: Tensor) -> Tensor:
        """r of every weight."""
        bounded = torch.tanh(x)
        return bounded / (2 * bounded.detach().abs().max().clamp(min=1e-12)) + 0.5

    @torch.no_grad()
    def _integers(self, share: Tensor) -> Tensor:
        """2^(b-1) (2 q(r) - 1)."""
        count = 2.0 ** int(self.width)
        return (share * count).floor().clamp(0, count - 1) - count / 2

    @torch.no_grad()
    def _scale(self, integers: Tensor, x: Tensor) -> Tensor:
        """c / 2^(b-1)."""
        fan_out = x.shape[0] * math.prod(x.shape[2:])
        return 1 / (math.sqrt(fan_out) * integers.std(correction=0).clamp(min=1e-6))


class CalibratedFunction(torch.autograd.Function):
    """Quantised clip(x, 0, a): dx = 1[0 <= x < a], da = q(x/a) - x/a inside, 1 from a on."""

    @staticmethod
    def forward(ctx, x: Tensor, clip: Tensor, grid: Grid) -> Tensor:
        y = snap(x, grid)
        ctx.save_for_backward(x, y, grid.step * grid.levels)
        return y

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        x, y, top = ctx.saved_tensors
        inside, above = (x >= 0) & (x < top), x >= top
        slope = torch.where(inside, (y - x) / top, above.to(x.dtype))
        return grad * inside, (grad * slope).sum(), None


class CalibratedPact(PactQuantiser):
    """PACT whose range gets its whole gradient (Jin, Yang and Liao, 2019, section 3.4)."""

    function = CalibratedFunction


def sat(
    bits: int, is_weight: bool, signed: bool, as_power: bool, shape: tuple[int, ...]
) -> Quantiser:
    """SAT for weights or activations."""
    kind = SatWeights if is_weight else CalibratedPact
    return kind(bits, is_weight, signed, as_power, shape)
