"""The loss of a batch, without the penalties of budgets."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

# (inputs (N, C, H, W), logits (N, classes), classes (N,)) -> scalar
Objective = Callable[[Tensor, Tensor, Tensor], Tensor]


def labelled(smoothing: float) -> Objective:
    """Cross-entropy with the labels, smoothed by `smoothing`."""

    def loss(x: Tensor, logits: Tensor, y: Tensor) -> Tensor:
        return functional.cross_entropy(logits, y, label_smoothing=smoothing)

    return loss
