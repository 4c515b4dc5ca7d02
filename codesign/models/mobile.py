"""Depthwise separable networks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.models.cnv import scaled

# (output channels, stride) of each separable block.
BLOCKS = ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1))


class Separable(nn.Sequential):
    """3x3 convolution per channel, then 1x1 across channels, each with BatchNorm and ReLU."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.add_module(
            "depthwise",
            nn.Conv2d(channels_in, channels_in, 3, stride, 1, groups=channels_in, bias=False),
        )
        self.add_module("depthwise_bn", nn.BatchNorm2d(channels_in))
        self.add_module("depthwise_act", nn.ReLU())
        self.add_module("pointwise", nn.Conv2d(channels_in, channels, 1, bias=False))
        self.add_module("pointwise_bn", nn.BatchNorm2d(channels))
        self.add_module("pointwise_act", nn.ReLU())


class Mobile(nn.Module):
    """MobileNet-like: 3x3 stem, separable blocks, mean over the image, logits.

    `blocks` lists (channels, stride); `width` scales all channels. Layers: stem.conv, stem.bn,
    stem.act, blocks.<n>.depthwise, blocks.<n>.pointwise, .., logits (Howard et al., 2017).
    """

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        classes: int,
        blocks: tuple[tuple[int, int], ...] = BLOCKS,
        width: float = 1.0,
        stem: int = 16,
    ) -> None:
        super().__init__()
        channels = scaled(stem, width)
        self.stem = nn.Sequential()
        self.stem.add_module("conv", nn.Conv2d(input_shape[0], channels, 3, padding=1, bias=False))
        self.stem.add_module("bn", nn.BatchNorm2d(channels))
        self.stem.add_module("act", nn.ReLU())
        self.blocks = nn.Sequential()
        for size, stride in blocks:
            self.blocks.append(Separable(channels, scaled(size, width), stride))
            channels = scaled(size, width)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.pool_act = nn.ReLU()
        self.logits = nn.Linear(channels, classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pool_act(self.pool(self.blocks(self.stem(x))))
        return self.logits(torch.flatten(pooled, 1))
