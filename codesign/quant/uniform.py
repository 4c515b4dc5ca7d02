"""The arithmetic every uniform quantiser shares: integer grid, inferred bits, and gradients."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Grid(NamedTuple):
    """The grid step * {-levels..levels}, or step * {0..levels} when unsigned.

    `step` (float32) and `levels` (whole numbers as float32) are scalars or broadcast over the
    tensor as one value per output channel.
    """

    step: Tensor
    levels: Tensor
    signed: bool


def largest_level(bits: int, signed: bool) -> int:
    """Largest integer of a width: 2^(b-1) - 1 signed (narrow, symmetric), 2^b - 1 unsigned."""
    return 2 ** (bits - signed) - 1


def level_bits(levels: Tensor, signed: bool) -> Tensor:
    """Bits that hold 0..levels plus a sign, ceil(log2(levels + 1)) + signed, exact for integers."""
    return torch.frexp(levels).exponent.to(levels.dtype) + signed


def snap(x: Tensor, grid: Grid) -> Tensor:
    """Nearest grid value of every element, by the float32 operations of QONNX's Quant.

    Ties go to even, as ROUND of QONNX says; the paper's floor(|x|/d + 1/2) differs there only.
    """
    return _clamp_(x / grid.step, grid).round_().mul_(grid.step)


def _clamp_(level: Tensor, grid: Grid) -> Tensor:
    """Clamp to the grid's integers, in place; plain numbers are twice as fast as tensors."""
    if grid.levels.dim():
        bottom = -grid.levels if grid.signed else torch.zeros_like(grid.levels)
        return torch.clamp(level, bottom, grid.levels, out=level)
    top = float(grid.levels)
    return level.clamp_(-top if grid.signed else 0.0, top)


def within(x: Tensor, grid: Grid) -> Tensor:
    """Where bottom <= x <= top of the grid."""
    bottom, top = _bounds(grid)
    return (x >= bottom) & (x <= top)


def _bounds(grid: Grid) -> tuple[Tensor, Tensor]:
    top = grid.levels * grid.step
    return -top if grid.signed else torch.zeros_like(top), top


def _inside(grad: Tensor, x: Tensor, grid: Grid) -> Tensor:
    """`grad` where x is within the grid, else 0."""
    bottom, top = _bounds(grid)
    if top.dim():
        return grad * within(x, grid)
    # The fused kernel excludes its bounds, so it gets the next float32 beyond them.
    beyond = torch.full_like(top, math.inf)
    below, above = torch.nextafter(bottom, -beyond), torch.nextafter(top, beyond)
    return torch.ops.aten.hardtanh_backward(grad, x, float(below), float(above))


def _dot(a: Tensor, b: Tensor, grid: Grid) -> Tensor:
    """Sum of a * b, per output channel if the grid is."""
    if grid.step.dim():
        return (a * b).sum_to_size(grid.step.shape)
    return torch.dot(a.reshape(-1), b.reshape(-1))


def power_of_two(step: Tensor) -> Tensor:
    """2^round(log2 step)."""
    return torch.exp2(torch.log2(step).round())


class UniformFunction(torch.autograd.Function):
    """Q(x) with the gradients of DQ's U3 (Uhlich et al., ICLR 2020, table of section 3).

    Inside the range dQ/dx = 1, dQ/dd = (Q - x)/d and dQ/dqmax = 0; outside dQ/dx = dQ/dd = 0 and
    dQ/dqmax = sgn(x), for an unsigned grid 0 below zero. The range is qmax of the grid in use.
    """

    @staticmethod
    def forward(ctx, x: Tensor, step: Tensor, qmax: Tensor, grid: Grid) -> Tensor:
        y = snap(x, grid)
        ctx.save_for_backward(x, y)
        ctx.grid = grid
        return y

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, y = ctx.saved_tensors
        grid = ctx.grid
        inside = _inside(grad, x, grid)
        d_step = _dot(inside, y - x, grid) / grid.step
        # Outside the range y is 0 or sgn(x) * qmax, so y / qmax is the published factor.
        d_qmax = _dot(grad - inside, y, grid) / (grid.levels * grid.step)
        return inside, d_step, d_qmax, None


class InferredBits(torch.autograd.Function):
    """b = ceil(log2(qmax/d + 1) + signed) with a straight-through ceil (DQ, section 3).

    db/dqmax = 1/(ln2 (qmax + d)) and db/dd = -qmax/(d ln2 (qmax + d)), on the grid in use.
    """

    @staticmethod
    def forward(ctx, step: Tensor, qmax: Tensor, grid: Grid) -> Tensor:
        ctx.grid = grid
        return level_bits(grid.levels, grid.signed)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor | None, ...]:
        step, levels, _ = ctx.grid
        d_qmax = grad / (math.log(2) * step * (levels + 1))
        return -levels * d_qmax, d_qmax, None


def best_step(
    x: Tensor, levels: Tensor, signed: bool, as_power: bool, shape: tuple[int, ...]
) -> Tensor:
    """Step among 24 fractions of max|x|/levels that quantises `x` with the least squared error.

    Result has `shape`: scalar, or one step per output channel.
    """
    rows = x.flatten(1) if len(shape) else x.reshape(1, -1)
    rows = rows if signed else rows.clamp(min=0)
    levels = levels.reshape(-1, 1) if levels.dim() else levels.reshape(1, 1)
    full = (rows.abs().amax(1, keepdim=True) / levels).clamp(min=1e-6)
    best, least = full, torch.full_like(full, float("inf"))
    for part in range(24, 0, -1):
        step = full * (part / 24)
        step = power_of_two(step) if as_power else step
        error = ((snap(rows, Grid(step, levels, signed)) - rows) ** 2).sum(1, keepdim=True)
        best = torch.where(error < least, step, best)
        least = torch.minimum(error, least)
    return best.reshape(shape)
