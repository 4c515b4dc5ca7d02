"""Losses that a layer has of its own (Nokland and Eidnes, "Training Neural Networks with Local
Error Signals", ICML 2019)."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional

BETA = 0.99
LOSSES = {"pred": (1.0, 0.0), "sim": (0.0, 1.0), "predsim": (1 - BETA, BETA)}
POOLED = 2048  # elements that the predictor sees at most


def similarity(x: Tensor) -> Tensor:
    """Cosine similarity of the mean-centred features of every two samples, (N, N).

    `x` is (N, F), or maps (N, C, H, W), of which each channel counts as the standard deviation over
    its pixels (maps of a single pixel as they are).
    """
    if x.dim() == 4:
        x = x.flatten(2).std(2) if x.shape[2] * x.shape[3] > 1 else x.flatten(1)
    features = functional.normalize(x - x.mean(1, keepdim=True), dim=1, eps=1e-8)
    return features @ features.T


class LocalHead(nn.Module):
    """The loss of one block from its output h, (batch, *shape), and the classes y.

    "pred" is CE(Linear(pool(h)), y); "sim" is MSE(S(conv3x3(h)), S(onehot(y))) with S the
    similarity (a Linear for vectors); "predsim" is 0.01 of the first and 0.99 of the second.
    """

    def __init__(self, shape: tuple[int, ...], classes: int, loss: str) -> None:
        super().__init__()
        self.classes = classes
        self.by_prediction, self.by_similarity = LOSSES[loss]
        self.predict = _predictor(shape, classes) if self.by_prediction else None
        self.features = _features(shape) if self.by_similarity else None

    def forward(self, h: Tensor, y: Tensor) -> Tensor:
        loss = h.new_zeros(())
        if self.predict is not None:
            loss = loss + self.by_prediction * functional.cross_entropy(self.predict(h), y)
        if self.features is not None:
            wanted = similarity(functional.one_hot(y, self.classes).to(h.dtype))
            found = similarity(self.features(h))
            loss = loss + self.by_similarity * functional.mse_loss(found, wanted)
        return loss


def _predictor(shape: tuple[int, ...], classes: int) -> nn.Module:
    """A Linear on the means of the largest square of areas with at most 2,048 elements."""
    if len(shape) == 1:
        return nn.Linear(shape[0], classes)
    sides = range(1, min(shape[1:]) + 1)
    side = max((side for side in sides if shape[0] * side**2 <= POOLED), default=1)
    linear = nn.Linear(shape[0] * side**2, classes)
    return nn.Sequential(nn.AdaptiveAvgPool2d(side), nn.Flatten(), linear)


def _features(shape: tuple[int, ...]) -> nn.Module:
    channels = shape[0]
    if math.prod(shape[1:]) > 1:
        return nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    return nn.Sequential(nn.Flatten(), nn.Linear(channels, channels, bias=False))
