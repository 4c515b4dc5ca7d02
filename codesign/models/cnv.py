"""CNV-like convolutional networks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from codesign.errors import BadInput

CNV_STAGES = ((64, 64), (128, 128), (256, 256))
PADLESS_IMAGE = 28


class Cnv(nn.Module):
    """3x3 convolutions in stages with 2x2 max pooling between, then fully connected layers.

    The default is FINN's CNV (64, 64, pool, 128, 128, pool, 256, 256, fc 512, 512); `width` scales
    every channel count and `hidden` size (0.5 is the half-width CNV). `padding` 0 as in CNV, the
    default for images of at least 28 pixels, else 1. Layers are named features.conv1,
    features.bn1, features.act1, features.pool1, .. and classifier.fc1, .., classifier.logits.
    Raises BadInput when the image is too small for the stages.
    """

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        classes: int,
        stages: tuple[tuple[int, ...], ...] = CNV_STAGES,
        hidden: tuple[int, ...] = (512, 512),
        width: float = 1.0,
        padding: int | None = None,
    ) -> None:
        super().__init__()
        channels, *image = input_shape
        padding = int(min(image) < PADLESS_IMAGE) if padding is None else padding
        self.features = _features(channels, stages, width, padding)
        self.classifier = nn.Sequential()
        flat = _flat_size(self.features, input_shape)
        for index, size in enumerate((scaled(size, width) for size in hidden), 1):
            self.classifier.add_module(f"fc{index}", nn.Linear(flat, size, bias=False))
            self.classifier.add_module(f"bn{index}", nn.BatchNorm1d(size))
            self.classifier.add_module(f"act{index}", nn.ReLU())
            flat = size
        self.classifier.add_module("logits", nn.Linear(flat, classes, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(torch.flatten(self.features(x), 1))


def scaled(channels: int, width: float) -> int:
    """`channels` times `width`, at least 1."""
    return max(1, round(channels * width))


def _features(channels: int, stages: tuple, width: float, padding: int) -> nn.Sequential:
    layers, index = nn.Sequential(), 0
    for number, stage in enumerate(stages):
        if number:
            layers.add_module(f"pool{number}", nn.MaxPool2d(2))
        for size in (scaled(size, width) for size in stage):
            index += 1
            convolution = nn.Conv2d(channels, size, 3, padding=padding, bias=False)
            layers.add_module(f"conv{index}", convolution)
            layers.add_module(f"bn{index}", nn.BatchNorm2d(size))
            layers.add_module(f"act{index}", nn.ReLU())
            channels = size
    return layers


def _flat_size(features: nn.Sequential, input_shape: tuple[int, ...]) -> int:
    try:
        with torch.no_grad():
            return math.prod(features.eval()(torch.zeros(1, *input_shape)).shape[1:])
    except RuntimeError as error:
        raise BadInput(
            f"an image of shape {tuple(input_shape)} is too small for these stages ({error}); "
            "use fewer stages or padding = 1",
            input_shape=tuple(input_shape),
        ) from error
    finally:
        features.train()
