"""Quantisers whose gradients are a published table, written out element by element."""

from __future__ import annotations

from abc import abstractmethod
from typing import Protocol

import torch
from torch import Tensor


class Tabled(Protocol):
    """Forward values, and the factors of x and of two parameters for each element."""

    @abstractmethod
    def snap(self, x: Tensor) -> Tensor:
        """Quantised `x`."""

    @abstractmethod
    def factors(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """dQ/dx, dQ/d(first parameter), dQ/d(second parameter) of every element."""


class TableFunction(torch.autograd.Function):
    """`table.snap` with the gradients of `table.factors`, summed to the parameters' shapes."""

    @staticmethod
    def forward(ctx, x: Tensor, first: Tensor, second: Tensor, table: Tabled) -> Tensor:
        y = table.snap(x)
        ctx.save_for_backward(x, y)
        ctx.table, ctx.shapes = table, (first.shape, second.shape)
        return y

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        d_x, *parameters = ctx.table.factors(*ctx.saved_tensors)
        sums = (
            (grad * factor).sum_to_size(shape)
            for factor, shape in zip(parameters, ctx.shapes, strict=True)
        )
        return grad * d_x, *sums, None
