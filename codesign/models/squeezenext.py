"""SqueezeNext: bottlenecks of separated 1x3 and 3x1 convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from codesign.errors import BadInput
from codesign.models.cnv import scaled
from codesign.models.join import Join

CHANNELS = (32, 64, 128, 256)
# Blocks of each stage, by version.
BLOCKS = {"23": (6, 6, 8, 1), "23v5": (2, 4, 14, 1)}


class SqueezeBlock(nn.Module):
    """1x1, 1x1, 1x3, 3x1, 1x1, each with BatchNorm and ReLU, beside a shortcut.

    The first two 1x1 narrow the channels by 2 and 4; by 1 and 2 where the block has a stride, by 4
    and 8 where it has fewer outputs than inputs. There the shortcut is a 1x1 convolution.
    """

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        part = 1 if stride > 1 else 4 if channels_in > channels else 2
        wide, narrow = channels_in // part, channels_in // (2 * part)
        self.branch = nn.Sequential()
        _add(self.branch, "squeeze1", channels_in, wide, (1, 1), stride)
        _add(self.branch, "squeeze2", wide, narrow, (1, 1))
        _add(self.branch, "row", narrow, wide, (1, 3))
        _add(self.branch, "column", wide, wide, (3, 1))
        _add(self.branch, "expand", wide, channels, (1, 1))
        self.shortcut: nn.Module = nn.Identity()
        if part != 2:
            self.shortcut = nn.Sequential()
            _add(self.shortcut, "conv", channels_in, channels, (1, 1), stride)
        self.join = Join()
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.join(self.branch(x), self.shortcut(x)))


class SqueezeNext(nn.Module):
    """`width`-SqNxt-`version` of Gholami et al. (CVPR Workshops 2018).

    1.0-SqNxt-23 has 0.72 M parameters and 0.28 G products at 224x224; FDQMP and HAWQ quantise the
    2.0-SqNxt-23 of 2.58 M. `version` is "23" (6, 6, 8, 1 blocks) or "23v5" (2, 4, 14, 1). Layers:
    stem.conv, stages.<stage>.<block>.branch.squeeze1, .squeeze2, .row, .column, .expand, .shortcut.conv,
    head.conv, logits. Raises BadInput for another version.
    """

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        classes: int,
        width: float = 1.0,
        version: str = "23",
    ) -> None:
        super().__init__()
        if version not in BLOCKS:
            raise BadInput(f"version must be one of {', '.join(BLOCKS)}, not {version!r}")
        channels = scaled(64, width)
        self.stem = nn.Sequential()
        _add(self.stem, "conv", input_shape[0], channels, (7, 7), 2, padding=(1, 1))
        # Zeros behind a ReLU: a pool that rounds its size up.
        self.stem.add_module("pad", nn.ZeroPad2d((0, 1, 0, 1)))
        self.stem.add_module("pool", nn.MaxPool2d(3, 2))
        self.stages = nn.Sequential()
        for number, (size, blocks) in enumerate(zip(CHANNELS, BLOCKS[version], strict=True)):
            stage, wider = nn.Sequential(), scaled(size, width)
            for block in range(blocks):
                stride = 2 if number and not block else 1
                stage.append(SqueezeBlock(channels, wider, stride))
                channels = wider
            self.stages.append(stage)
        self.head = nn.Sequential()
        _add(self.head, "conv", channels, scaled(128, width), (1, 1))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.pool_act = nn.ReLU()
        self.logits = nn.Linear(scaled(128, width), classes)

    def forward(self, x: Tensor) -> Tensor:
        pooled = self.pool_act(self.pool(self.head(self.stages(self.stem(x)))))
        return self.logits(torch.flatten(pooled, 1))


def _add(
    layers: nn.Sequential,
    name: str,
    channels_in: int,
    channels: int,
    kernel: tuple[int, int],
    stride: int = 1,
    padding: tuple[int, int] | None = None,
) -> None:
    padding = padding or (kernel[0] // 2, kernel[1] // 2)
    layers.add_module(name, nn.Conv2d(channels_in, channels, kernel, stride, padding, bias=False))
    layers.add_module(f"{name}_bn", nn.BatchNorm2d(channels))
    layers.add_module(f"{name}_act", nn.ReLU())
