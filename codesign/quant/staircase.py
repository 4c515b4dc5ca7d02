"""Activations whose levels are not equally spaced: thresholds, and the level behind each."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor


class Staircase(NamedTuple):
    """0 below the first threshold, then `levels[k]` times `scale` from `thresholds[k]` on.

    `thresholds` (n,) rise, `levels` (n,) are rising whole numbers over 0, both float32.
    """

    thresholds: Tensor
    levels: Tensor
    scale: Tensor

    @property
    def values(self) -> Tensor:
        """Real values, (n + 1,), the first one 0."""
        return torch.cat([torch.zeros_like(self.levels[:1]), self.levels]) * self.scale

    @property
    def widest_step(self) -> int:
        """Largest distance of neighbouring levels in integers."""
        return max(int(b - a) for a, b in pairwise([0.0, *self.levels.tolist()]))

    def climb(self, x: Tensor) -> Tensor:
        """The value of every element."""
        return self.values[torch.bucketize(x, self.thresholds, right=True)]

    def repeated(self) -> Tensor:
        """Thresholds of a MultiThreshold that counts up to the levels: each as often as it climbs."""
        rises = torch.diff(self.levels, prepend=torch.zeros_like(self.levels[:1]))
        return torch.repeat_interleave(self.thresholds, rises.long())
