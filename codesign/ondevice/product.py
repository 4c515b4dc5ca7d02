"""Products of integer matrices, exact on floating-point units."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

FLOAT32_EXACT = 2**24
# Of operands; int16 holds uint8 pixels less their mean.
LARGEST = {torch.int8: 128, torch.int16: 255}


def matmul(a: Tensor, b: Tensor) -> Tensor:
    """a @ b of matrices (M, K) and (K, N), exact, as int64; int8, or int16 of at most 255.

    Sums of float32 are exact below 2^24 only (K < 1040 for int8), those of float64 below 2^53.
    """
    most = a.shape[1] * LARGEST[a.dtype] * LARGEST[b.dtype]
    kind = torch.float32 if most < FLOAT32_EXACT else torch.float64
    return (a.to(kind) @ b.to(kind)).to(torch.int64)


def unfolded(x: Tensor, kernel: int, stride: int, padding: int) -> Tensor:
    """Windows of (N, C, H, W) as columns, (C kernel^2, N windows), in the type of `x`."""
    columns = functional.unfold(x.to(torch.float32), kernel, 1, padding, stride)
    return columns.transpose(0, 1).flatten(1).to(x.dtype)


def folded(
    columns: Tensor, shape: tuple[int, ...], kernel: int, stride: int, padding: int
) -> Tensor:
    """The transpose of `unfolded`: int64 columns summed into a picture of `shape` (N, C, H, W)."""
    windows = columns.to(torch.float64).unflatten(1, (shape[0], -1)).transpose(0, 1)
    picture = functional.fold(windows, shape[2:], kernel, 1, padding, stride)
    return picture.to(torch.int64)
