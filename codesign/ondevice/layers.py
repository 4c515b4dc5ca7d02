"""Layers of an integer network: forward, error and weight update in integers (NITI, 2022)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from codesign.errors import BadInput
from codesign.ondevice.product import folded, matmul, unfolded
from codesign.ondevice.rounding import (
    INT8_BITS,
    clipped,
    magnitude_bits,
    noise_like,
    shift_half_up,
    shift_pseudo_stochastic,
    shift_stochastic,
)

INT32_MAX = 2**31 - 1
UNSEEN = -(2**31)


@dataclass(frozen=True)
class Block:
    """A tensor of integers times one power of two: `values` 2^exponent."""

    values: Tensor
    exponent: int


@dataclass(frozen=True)
class Update:
    """How weights move: by gradients of `bits` bits; random jumps take their noise from `generator`."""

    bits: int
    generator: torch.Generator


class Layer(nn.Module):
    """A layer that keeps from `forward` what `back` needs."""

    def forward(self, x: Block) -> Block:
        raise NotImplementedError

    def back(self, error: Tensor, update: Update, first: bool) -> Tensor:
        """The error of the input, int8, from that of the output; `first` needs none."""
        raise NotImplementedError


class Weighted(Layer):
    """A product with weights of `bits` bits (sign included): int64 sums of what int32 can hold.

    While training, sums are shifted by n - 7 bits, n = ceil(log2 max|sum|) of the batch, and
    `seen` keeps the largest exponent of the outputs; in evaluation `shift` is fixed, as hardware has it.
    """

    def __init__(self, shape: tuple[int, ...], bits: int) -> None:
        super().__init__()
        self.bits = bits
        self.register_buffer("weight", torch.zeros(shape, dtype=torch.int8))
        self.register_buffer("exponent", torch.tensor(0))
        self.register_buffer("shift", torch.tensor(0))
        self.register_buffer("seen", torch.tensor(UNSEEN))

    @property
    def largest(self) -> int:
        """Largest magnitude of a weight."""
        return 2 ** (self.bits - 1) - 1

    def fill(self, weight: Tensor) -> None:
        """Take float weights: exponent ceil(log2 max|weight|) - (bits - 1), halves to even."""
        exponent = math.ceil(math.log2(float(weight.abs().max()))) - (self.bits - 1)
        self.exponent.fill_(exponent)
        self.weight.copy_((weight / 2.0**exponent).round().clamp(-self.largest, self.largest))

    def xavier(self, generator: torch.Generator) -> None:
        """Xavier-uniform weights: +-sqrt(6 / (fan in + fan out))."""
        pixels = math.prod(self.weight.shape[2:])
        fans = (self.weight.shape[0] + self.weight.shape[1]) * pixels
        even = torch.rand(self.weight.shape, generator=generator) * 2 - 1
        self.fill(even * math.sqrt(6 / fans))

    def columns(self, x: Tensor) -> Tensor:
        """The inputs that each output sums, (K, places): a place is a pixel of a frame."""
        raise NotImplementedError

    def gathered(self, columns: Tensor, shape: tuple[int, ...]) -> Tensor:
        """(K, places) back to an input of `shape`, summed where places share elements."""
        raise NotImplementedError

    def rows(self, y: Tensor) -> Tensor:
        """An output tensor as (O, places)."""
        raise NotImplementedError

    def output(self, rows: Tensor, shape: tuple[int, ...]) -> Tensor:
        """(O, places) as the output for an input of `shape`."""
        raise NotImplementedError

    def sums(self, x: Tensor) -> Tensor:
        """Accumulators in the shape of the output, int64."""
        self.kept = x if self.training else None
        return self.output(matmul(self.weight.flatten(1), self.columns(x)), x.shape)

    def forward(self, x: Block) -> Block:
        sums = self.sums(x.values)
        shift = int(self.shift)
        if self.training:
            shift = max(0, magnitude_bits(sums) - INT8_BITS)
        exponent = x.exponent + int(self.exponent) + shift
        if self.training:
            self.seen.clamp_(min=exponent)
        return Block(clipped(shift_half_up(sums, shift)), exponent)

    def back(self, error: Tensor, update: Update, first: bool) -> Tensor:
        rows = self.rows(error)
        gradient = matmul(rows, self.columns(self.kept).T).view(self.weight.shape)
        below = error if first else self._error_below(rows)
        self.move(gradient, update)
        return below

    def _error_below(self, rows: Tensor) -> Tensor:
        sums = self.gathered(matmul(self.weight.flatten(1).T, rows), self.kept.shape)
        return clipped(shift_half_up(sums, max(0, magnitude_bits(sums) - INT8_BITS)))

    def move(self, gradient: Tensor, update: Update) -> None:
        """w <- clip(w - g), `gradient` shifted to `update.bits` bits; narrow weights jump.

        Weights of fewer than 8 bits stand for 2^(8 - bits) steps of 8-bit ones, and the gradient is
        kept at 8 bits: a weight jumps to a neighbouring state with the probability of its part of a
        state, so that it moves on average as an 8-bit weight would.
        """
        self._check_int32(gradient)
        spare = magnitude_bits(gradient)
        if self.bits == INT8_BITS + 1:
            step = shift_pseudo_stochastic(gradient, max(0, spare - update.bits))
        else:
            full = shift_pseudo_stochastic(gradient, max(0, spare - INT8_BITS))
            jump = INT8_BITS - update.bits + INT8_BITS + 1 - self.bits
            step = shift_stochastic(full, jump, noise_like(full, jump, update.generator))
        self.weight.copy_((self.weight - step).clamp(-self.largest, self.largest))

    def _check_int32(self, gradient: Tensor) -> None:
        if gradient.numel() and int(gradient.abs().max()) > INT32_MAX:
            raise BadInput(
                "integer training: a weight gradient must fit 32 bits, found "
                f"{int(gradient.abs().max()):,}; make [train] batch smaller"
            )


class Dense(Weighted):
    """A matrix (outputs, inputs) without bias."""

    def __init__(self, inputs: int, outputs: int, bits: int) -> None:
        super().__init__((outputs, inputs), bits)

    def columns(self, x: Tensor) -> Tensor:
        return x.T

    def gathered(self, columns: Tensor, shape: tuple[int, ...]) -> Tensor:
        return columns.T

    def rows(self, y: Tensor) -> Tensor:
        return y.T

    def output(self, rows: Tensor, shape: tuple[int, ...]) -> Tensor:
        return rows.T


class Convolution(Weighted):
    """Square kernels (outputs, inputs, k, k), without bias."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, padding: int, bits: int
    ) -> None:
        super().__init__((outputs, inputs, kernel, kernel), bits)
        self.geometry = (kernel, stride, padding)

    def columns(self, x: Tensor) -> Tensor:
        return unfolded(x, *self.geometry)

    def gathered(self, columns: Tensor, shape: tuple[int, ...]) -> Tensor:
        return folded(columns, shape, *self.geometry)

    def rows(self, y: Tensor) -> Tensor:
        return y.transpose(0, 1).flatten(1)

    def output(self, rows: Tensor, shape: tuple[int, ...]) -> Tensor:
        kernel, stride, padding = self.geometry
        height, width = ((size + 2 * padding - kernel) // stride + 1 for size in shape[2:])
        return rows.unflatten(1, (shape[0], height, width)).transpose(0, 1)


class Relu(Layer):
    """max(0, x)."""

    def forward(self, x: Block) -> Block:
        self.kept = x.values > 0
        return Block(x.values.clamp(min=0), x.exponent)

    def back(self, error: Tensor, update: Update, first: bool) -> Tensor:
        return error * self.kept


class MaxPool(Layer):
    """Largest value of each `size` by `size` square; the first of equal ones gets the error."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Block) -> Block:
        n, c, h, w = x.values.shape
        self.shape, s = x.values.shape, self.size
        whole = x.values[:, :, : h - h % s, : w - w % s]
        windows = whole.reshape(n, c, h // s, s, w // s, s).transpose(3, 4).flatten(4)
        largest = windows.amax(4)
        self.kept = (windows == largest[..., None]).to(torch.uint8).argmax(4).to(torch.uint8)
        return Block(largest, x.exponent)

    def back(self, error: Tensor, update: Update, first: bool) -> Tensor:
        s, kept = self.size, self.kept[..., None]
        place = torch.arange(s**2, dtype=kept.dtype, device=kept.device)
        windows = torch.where(kept == place, error[..., None], 0)
        n, c, rows, cols = error.shape
        whole = windows.view(n, c, rows, cols, s, s).transpose(3, 4).reshape(n, c, rows * s, -1)
        below = error.new_zeros(self.shape)
        below[:, :, : rows * s, : cols * s] = whole
        return below


class Flatten(Layer):
    """(N, C, H, W) to (N, C H W)."""

    def forward(self, x: Block) -> Block:
        self.shape = x.values.shape
        return Block(x.values.flatten(1), x.exponent)

    def back(self, error: Tensor, update: Update, first: bool) -> Tensor:
        return error.view(self.shape)
