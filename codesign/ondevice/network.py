"""A chain of integer layers that learns without a single floating-point number."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from codesign.ondevice.layers import UNSEEN, Block, Layer, Update, Weighted
from codesign.ondevice.loss import ERROR_SHIFT, output_error
from codesign.ondevice.rounding import noise_like


class IntegerNetwork(nn.Module):
    """NITI (Wang et al., 2022): int8 tensors with one power of two each, 32-bit sums.

    Pixels are integers 0..`input_max` (uint8); (pixel - `input_mean`) / 2^input_bits enters, for what
    all pixels share would drown their differences in layers without biases and norms.
    `forward` is inference for the tools of float networks: it takes raw / input_max, float32, and
    gives the sums of the last layer times their scale. Parameters are buffers of int8.
    """

    # Nothing here has a Brevitas quantiser that budgets could turn.
    quantiser_trace = ()

    def __init__(
        self, layers: Iterable[tuple[str, Layer]], input_max: int, input_mean: int = 0
    ) -> None:
        super().__init__()
        self.names: list[str] = []
        for name, layer in layers:
            self.add_module(name.replace(".", "_"), layer)
            self.names.append(name)
        self.input_max, self.input_mean = input_max, input_mean

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in order."""
        return tuple(self.children())

    @property
    def weighted(self) -> tuple[Weighted, ...]:
        """Layers with weights, in order; the last one gives the logits."""
        return tuple(layer for layer in self.layers if isinstance(layer, Weighted))

    @property
    def input_bits(self) -> int:
        """Bits of a pixel."""
        return self.input_max.bit_length()

    def pixels(self, x: Tensor) -> Tensor:
        """Raw integers, uint8, of raw / input_max."""
        return (x * self.input_max).round().to(torch.uint8)

    def entered(self, pixels: Tensor) -> Block:
        """What the first layer reads, int16."""
        return Block(pixels.to(torch.int16) - self.input_mean, -self.input_bits)

    def learn(self, pixels: Tensor, target: Tensor, update: Update) -> Block:
        """One step on uint8 (batch, C, H, W) and classes int64 (batch,); returns the int8 logits."""
        out = self.entered(pixels)
        for layer in self.layers:
            out = layer(out)
        noise = noise_like(out.values, ERROR_SHIFT, update.generator)
        error = output_error(out.values, out.exponent, target, noise)
        first = self.weighted[0]
        for layer in reversed(self.layers):
            error = layer.back(error, update, layer is first)
            if layer is first:
                break
        return out

    @torch.no_grad()
    def sums(self, pixels: Tensor) -> Block:
        """Sums of the last layer for uint8 pixels, int64 (batch, classes), with the fixed shifts."""
        out = self.entered(pixels)
        *rest, last = self.layers
        for layer in rest:
            out = layer(out)
        return Block(last.sums(out.values), out.exponent + int(last.exponent))

    def forward(self, x: Tensor) -> Tensor:
        out = self.sums(self.pixels(x))
        return (out.values.double() * math.ldexp(1.0, out.exponent)).float()

    def forget_shifts(self) -> None:
        """Begin to look for the largest outputs of each layer anew."""
        for layer in self.weighted:
            layer.seen.fill_(UNSEEN)

    def fix_shifts(self) -> None:
        """Evaluation has room for the largest outputs since `forget_shifts`, layer by layer.

        Exponents count, not shifts: what one layer shifts too far for most batches, the next need
        not shift again.
        """
        exponent = -self.input_bits
        for layer in self.weighted:
            exponent += int(layer.exponent)
            layer.shift.fill_(max(0, int(layer.seen) - exponent))
            exponent += int(layer.shift)
