"""Accuracy and classes of a torch network."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from codesign.data.dataset import Dataset, Split
from codesign.train.batches import plain_batches
from codesign.train.device import device_of
from codesign.train.parallel import share, summed

TIE = 1e-5


@torch.no_grad()
def classes_of(model: nn.Module, split: Split, input_max: int) -> np.ndarray:
    """Class of every sample, int64 (N,), in evaluation mode.

    The lowest index wins a tie, and logits that are equal within 1e-5 tie: they stand for equal
    integers, and only the order of float32 sums tells them apart.
    """
    was_training = model.training
    model.eval()
    found = [_first_largest(logits_of(model, x)).cpu() for x, _ in plain_batches(split, input_max)]
    model.train(was_training)
    return torch.cat(found).numpy() if found else np.zeros(0, dtype=np.int64)


def _first_largest(logits: torch.Tensor) -> torch.Tensor:
    return (logits >= logits.amax(1, keepdim=True) - TIE).float().argmax(1)


def logits_of(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """Plain tensor (N, classes) of what the network returns, where the network lies."""
    y = model(x.to(device_of(model)))
    return getattr(y, "value", y).flatten(1)


def accuracy(model: nn.Module, split: Split, input_max: int) -> float:
    """Fraction of samples whose class is right; 0.0 for none."""
    return float((classes_of(model, split, input_max) == split.y).mean()) if len(split) else 0.0


def shared_accuracy(model: nn.Module, split: Split, data: Dataset) -> float:
    """`accuracy`, each of several processes with its share of the samples."""
    own = split.take(share())
    right = round(accuracy(model, own, data.input_max) * len(own))
    total, count = summed((right, len(own)), device_of(model))
    return total / count if count else 0.0
