"""TFC: fully connected networks."""

from __future__ import annotations

import math
from collections import OrderedDict

from torch import Tensor, nn


class Tfc(nn.Module):
    """Flatten, then Linear, BatchNorm and ReLU per hidden layer, then logits.

    `sizes` are the hidden widths (64, 64, 64 is FINN's TFC; 256 SFC; 1024 LFC). Layers are named
    fc1, fc2, .. with bn1, act1, ..; the last one is `logits`.
    """

    def __init__(
        self, input_shape: tuple[int, ...], classes: int, sizes: tuple[int, ...] = (64, 64, 64)
    ) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
        width = math.prod(input_shape)
        for index, size in enumerate(sizes, 1):
            layers[f"fc{index}"] = nn.Linear(width, size, bias=False)
            layers[f"bn{index}"] = nn.BatchNorm1d(size)
            layers[f"act{index}"] = nn.ReLU()
            width = size
        layers["logits"] = nn.Linear(width, classes, bias=False)
        for name, layer in layers.items():
            self.add_module(name, layer)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = layer(x)
        return x
