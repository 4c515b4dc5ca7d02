"""Networks of inverted residual blocks: MobileNetV2 and EfficientNet-Lite0."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from codesign.models.cnv import scaled
from codesign.models.join import Join, Signed


@dataclass(frozen=True)
class Stage:
    """`repeats` blocks with `channels` outputs; the first one has the `stride`."""

    expansion: int
    channels: int
    repeats: int
    stride: int
    kernel: int = 3


# Table 2 of Sandler et al., "MobileNetV2", CVPR 2018.
MOBILENET_V2 = (
    Stage(1, 16, 1, 1),
    Stage(6, 24, 2, 2),
    Stage(6, 32, 3, 2),
    Stage(6, 64, 4, 2),
    Stage(6, 96, 3, 1),
    Stage(6, 160, 3, 2),
    Stage(6, 320, 1, 1),
)
# EfficientNet-B0 (Tan and Le, ICML 2019, table 1) without squeeze-and-excitation, its Lite form.
EFFICIENTNET_LITE0 = (
    Stage(1, 16, 1, 1, 3),
    Stage(6, 24, 2, 2, 3),
    Stage(6, 40, 2, 2, 5),
    Stage(6, 80, 3, 2, 3),
    Stage(6, 112, 3, 1, 5),
    Stage(6, 192, 4, 2, 5),
    Stage(6, 320, 1, 1, 3),
)


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise, linear 1x1 projection; beside a shortcut where the shape allows."""

    def __init__(self, channels_in: int, stage: Stage, stride: int, channels: int) -> None:
        super().__init__()
        wide = channels_in * stage.expansion
        self.branch = nn.Sequential()
        if stage.expansion > 1:
            _add_convolution(self.branch, "expand", channels_in, wide, 1)
        _add_convolution(self.branch, "depthwise", wide, wide, stage.kernel, stride, groups=wide)
        _add_convolution(self.branch, "project", wide, channels, 1, act=False)
        self.joins = stride == 1 and channels_in == channels
        self.out = Join() if self.joins else Signed()

    def forward(self, x: Tensor) -> Tensor:
        y = self.branch(x)
        return self.out(y, x) if self.joins else self.out(y)


class Inverted(nn.Module):
    """3x3 stem of 32 channels with stride 2, inverted residual stages, 1x1 head, mean, logits.

    `width` scales all channels but those of the head. Layers: stem.conv, stages.<n>.branch.expand,
    .depthwise, .project, head.conv, logits.
    """

    stages_table = MOBILENET_V2

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        classes: int,
        width: float = 1.0,
        stem: int = 32,
        head: int = 1280,
    ) -> None:
        super().__init__()
        channels = scaled(stem, width)
        self.stem = nn.Sequential()
        _add_convolution(self.stem, "conv", input_shape[0], channels, 3, 2)
        self.stages = nn.Sequential()
        for stage in self.stages_table:
            for repeat in range(stage.repeats):
                wider, stride = scaled(stage.channels, width), 1 if repeat else stage.stride
                self.stages.append(InvertedResidual(channels, stage, stride, wider))
                channels = wider
        self.head = nn.Sequential()
        _add_convolution(self.head, "conv", channels, head, 1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.pool_act = nn.ReLU()
        self.logits = nn.Linear(head, classes)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pool_act(self.pool(self.head(self.stages(self.stem(x)))))
        return self.logits(torch.flatten(pooled, 1))


class MobileNetV2(Inverted):
    """MobileNetV2 (Sandler et al., CVPR 2018): 3.50 M parameters and 301 M products at 224x224."""


class EfficientNetLite0(Inverted):
    """EfficientNet-Lite0: no squeeze-and-excitation, ReLU6; 4.65 M parameters, 0.39 G products."""

    stages_table = EFFICIENTNET_LITE0


def _add_convolution(
    layers: nn.Sequential,
    name: str,
    channels_in: int,
    channels: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    act: bool = True,
) -> None:
    convolution = nn.Conv2d(
        channels_in, channels, kernel, stride, kernel // 2, groups=groups, bias=False
    )
    layers.add_module(name, convolution)
    layers.add_module(f"{name}_bn", nn.BatchNorm2d(channels))
    if act:
        layers.add_module(f"{name}_act", nn.ReLU6())
