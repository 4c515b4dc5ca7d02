"""Residual networks of the CIFAR family."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from codesign.errors import BadInput
from codesign.models.join import Join


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: identity; where the shape changes `project` (1x1),
    else every stride-th pixel with zeros as further channels.
    """

    def __init__(self, channels_in: int, channels: int, stride: int, project: bool = True) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.act1 = nn.ReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if (stride != 1 or channels_in != channels) and not project:
            self.shortcut = Widened(channels - channels_in, stride)
        elif stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential()
            projection = nn.Conv2d(channels_in, channels, 1, stride, bias=False)
            self.shortcut.add_module("conv", projection)
            self.shortcut.add_module("bn", nn.BatchNorm2d(channels))
        self.join = Join()
        self.act2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        branch = self.bn2(self.conv2(self.act1(self.bn1(self.conv1(x)))))
        return self.act2(self.join(branch, self.shortcut(x)))


class Widened(nn.Module):
    """Every `stride`-th pixel, followed by `zeros` channels of zeros: option A of He et al."""

    def __init__(self, zeros: int, stride: int) -> None:
        super().__init__()
        self.zeros, self.stride = zeros, stride

    def forward(self, x: Tensor) -> Tensor:
        return functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.zeros))


class ResNet(nn.Module):
    """ResNet-(6n + 2): 3x3 convolution, three stages of n blocks with k, 2k, 4k channels, mean.

    `depth` 8, 14, 20, ..; `channels` is k (16 in He et al., CVPR 2016). `shortcut` is "project"
    (1x1, option B) or "widen" (zero channels, option A). Layers: stem.conv, stem.bn, stem.act,
    stages.<stage>.<block>.conv1, .., logits. Raises BadInput for another depth or shortcut.
    """

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        classes: int,
        depth: int = 8,
        channels: int = 16,
        shortcut: str = "project",
        logits_bias: bool = False,
    ) -> None:
        super().__init__()
        blocks, rest = divmod(depth - 2, 6)
        if rest or blocks < 1:
            raise BadInput(f"a ResNet of this family has depth 8, 14, 20, .., not {depth}")
        if shortcut not in ("project", "widen"):
            raise BadInput(f"shortcut must be 'project' or 'widen', not {shortcut!r}")
        self.stem = _stem(input_shape[0], channels, 3, 1)
        widths = (channels, 2 * channels, 4 * channels)
        self.stages = _stages(channels, widths, (blocks,) * 3, shortcut == "project")
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.pool_act = nn.ReLU()
        self.logits = nn.Linear(widths[-1], classes, bias=logits_bias)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pool_act(self.pool(self.stages(self.stem(x))))
        return self.logits(torch.flatten(pooled, 1))


class ResNet18(ResNet):
    """ResNet-18 of He et al. (CVPR 2016): 11.69 M parameters, 1.81 G products at 224x224."""

    def __init__(self, input_shape: tuple[int, int, int], classes: int, channels: int = 64) -> None:
        nn.Module.__init__(self)
        self.stem = _stem(input_shape[0], channels, 7, 2)
        self.stem.add_module("pool", nn.MaxPool2d(3, 2, padding=1))
        widths = tuple(channels * 2**stage for stage in range(4))
        self.stages = _stages(channels, widths, (2, 2, 2, 2), project=True)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.pool_act = nn.ReLU()
        self.logits = nn.Linear(widths[-1], classes)


def _stem(channels_in: int, channels: int, kernel: int, stride: int) -> nn.Sequential:
    stem = nn.Sequential()
    convolution = nn.Conv2d(channels_in, channels, kernel, stride, kernel // 2, bias=False)
    stem.add_module("conv", convolution)
    stem.add_module("bn", nn.BatchNorm2d(channels))
    stem.add_module("act", nn.ReLU())
    return stem


def _stages(
    channels: int, widths: tuple[int, ...], repeats: tuple[int, ...], project: bool
) -> nn.Sequential:
    """The first stage keeps the size of the picture, each other one halves it."""
    stages = nn.Sequential()
    for number, (width, blocks) in enumerate(zip(widths, repeats, strict=True)):
        first = ResidualBlock(channels, width, 2 if number else 1, project)
        rest = (ResidualBlock(width, width, 1) for _ in range(blocks - 1))
        stages.append(nn.Sequential(first, *rest))
        channels = width
    return stages
