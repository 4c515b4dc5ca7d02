"""Residual networks of the CIFAR family."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.errors import BadInput
from codesign.models.join import Join


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut (identity, or 1x1 where the shape changes)."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.act1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential()
            projection = nn.Conv2d(channels_in, channels, 1, stride, bias=False)
            self.shortcut.add_module("conv", projection)
            self.shortcut.add_module("bn", nn.BatchNorm2d(channels))
        self.join = Join()
        self.act2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        branch = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
        return self.act2(self.join(branch, self.shortcut(x)))


class ResNet(nn.Module):
    """ResNet-(6n + 2): 3x3 convolution, three stages of n blocks with k, 2k, 4k channels, mean.

    `depth` 8, 14, 20, ..; `channels` is k (16 in He et al., CVPR 2016). Shortcuts project by 1x1
    (option B). Layers: stem.conv, stem.bn, stem.act, stages.<stage>.<block>.conv1, .., logits.
    Raises BadInput for another depth.
    """

    def __init__(
        self, input_shape: tuple[int, int, int], classes: int, depth: int = 8, channels: int = 16
    ) -> None:
        super().__init__()
        blocks, rest = divmod(depth - 2, 6)
        if rest or blocks < 1:
            raise BadInput(f"a ResNet of this family has depth 8, 14, 20, .., not {depth}")
        self.stem = nn.Sequential()
        self.stem.add_module("conv", nn.Conv2d(input_shape[0], channels, 3, padding=1, bias=False))
        self.stem.add_module("bn", nn.BatchNorm2d(channels))
        self.stem.add_module("act", nn.ReLU())
        widths = (channels, 2 * channels, 4 * channels)
        entries = zip((channels, *widths), widths, (1, 2, 2), strict=False)
        self.stages = nn.Sequential(*(_stage(*entry, blocks) for entry in entries))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.pool_act = nn.ReLU()
        self.logits = nn.Linear(widths[-1], classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pool_act(self.pool(self.stages(self.stem(x))))
        return self.logits(torch.flatten(pooled, 1))


def _stage(channels_in: int, channels: int, stride: int, blocks: int) -> nn.Sequential:
    first = ResidualBlock(channels_in, channels, stride)
    return nn.Sequential(first, *(ResidualBlock(channels, channels, 1) for _ in range(blocks - 1)))
