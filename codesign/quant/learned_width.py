"""Widths that are parameters: real numbers, rounded where a grid needs levels."""

from __future__ import annotations

import torch
from torch import Tensor, nn

WIDEST_BITS = 8


def whole_levels(width: Tensor, signed: bool) -> Tensor:
    """Largest integer of the rounded width: 2^(b-1) - 1 signed, 2^b - 1 unsigned, at least 1."""
    legal = width.detach().round().clamp(1 + int(signed), WIDEST_BITS)
    return torch.exp2(legal - int(signed)) - 1


@torch.no_grad()
def clip_width(width: nn.Parameter, signed: bool) -> None:
    """Keep a learned width between 1 (2 signed) and 8 bits."""
    width.clamp_(1 + int(signed), WIDEST_BITS)


def rounded(width: Tensor) -> Tensor:
    """The width as the hardware carries it, with a straight-through gradient."""
    return width + (width.detach().round() - width.detach())
