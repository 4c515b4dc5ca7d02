"""What the accelerator needs of the board, as a differentiable function of the learned widths.

Under a given folding the estimator is a sum over layers, and each layer's share depends on two
widths only: those of its weights and of what it reads. So the estimate is a table of 8 x 8 widths
per layer, read by bilinear interpolation. The tables come from the estimator itself, at the folding
that the search found for the network as it is, and are renewed every few epochs.
"""

from __future__ import annotations

import torch
from torch import Tensor

WIDTHS = 8


class TableLookup(torch.autograd.Function):
    """Demand (layers, kinds) from `tables` (layers, 8, 8, kinds) at two width vectors (layers,).

    Forward is the bilinear interpolation over widths 1..8. Costs are staircases (a block RAM holds
    18 bits or 9, nothing between), so the slope between two neighbours is often zero although
    narrower widths are cheaper. Backward therefore follows the steepest chord to a narrower width,
    and the one to 2 bits from 1: it agrees in sign with the differences of the estimator.
    """

    @staticmethod
    def forward(ctx, tables: Tensor, weight: Tensor, act: Tensor) -> Tensor:
        ctx.save_for_backward(tables, weight, act)
        layer = torch.arange(len(tables))
        low_w, part_w = _cell(weight)
        low_a, part_a = _cell(act)
        along = [
            torch.lerp(
                tables[layer, low_w, low_a + step],
                tables[layer, low_w + 1, low_a + step],
                part_w[:, None],
            )
            for step in (0, 1)
        ]
        return torch.lerp(along[0], along[1], part_a[:, None])

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[None, Tensor, Tensor]:
        tables, weight, act = ctx.saved_tensors
        layer = torch.arange(len(tables))
        w, a = _nearest(weight), _nearest(act)
        slope_w = steepest_chord(tables[layer, :, a], w)
        slope_a = steepest_chord(tables[layer, w], a)
        return None, (grad * slope_w).sum(1), (grad * slope_a).sum(1)


def steepest_chord(costs: Tensor, at: Tensor) -> Tensor:
    """Largest saving per bit on the way from width index `at` (layers,) to a narrower one.

    `costs` is (layers, 8, kinds); result (layers, kinds). At the narrowest width the cost of one
    bit more; never negative, as more bits never make a layer cheaper on purpose.
    """
    layer = torch.arange(len(costs))
    here = costs[layer, at]
    distance = at[:, None] - torch.arange(WIDTHS)
    saving = (here[:, None] - costs) / distance.clamp(min=1)[:, :, None]
    below = saving.masked_fill((distance < 1)[:, :, None], 0.0).amax(1)
    above = costs[layer, torch.clamp(at + 1, max=WIDTHS - 1)] - here
    return torch.where((at == 0)[:, None], above, below).clamp(min=0)


def _cell(bits: Tensor) -> tuple[Tensor, Tensor]:
    """Index of the table cell below `bits` (1..8) and the place in it (0..1)."""
    place = bits.detach().clamp(1, WIDTHS) - 1
    low = place.floor().clamp(max=WIDTHS - 2)
    return low.long(), place - low


def _nearest(bits: Tensor) -> Tensor:
    return (bits.detach().clamp(1, WIDTHS) - 1).ceil().long()
