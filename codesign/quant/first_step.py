"""The first step of a learned grid, by the names of QuantConfig's `first_grid`."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from codesign.quant.uniform import best_step, power_of_two

ACT_QUANTILE = 0.999


def weight_spread(
    x: Tensor, levels: Tensor, signed: bool, as_power: bool, shape: tuple[int, ...]
) -> Tensor:
    """Range max|mu +- 3 sigma| of every slice (Schaefer et al., WACV 2024), over the levels."""
    rows = x.flatten(1) if len(shape) else x.reshape(1, -1)
    reach = (rows.mean(1).abs() + 3 * rows.std(1, correction=0)).clamp(min=1e-6)
    return _step(reach.reshape(shape), levels, as_power)


def act_spread(
    x: Tensor, levels: Tensor, signed: bool, as_power: bool, shape: tuple[int, ...]
) -> Tensor:
    """Range at the 99.9th percentile of |x| (x itself if unsigned), over the levels."""
    size = x.abs() if signed else x.clamp(min=0)
    return _step(torch.quantile(size.flatten(), ACT_QUANTILE).clamp(min=1e-6), levels, as_power)


def _step(reach: Tensor, levels: Tensor, as_power: bool) -> Tensor:
    step = reach / levels
    return power_of_two(step) if as_power else step


FIRST_STEPS: dict[str, Callable[[bool], Callable[..., Tensor]]] = {
    "least-squares": lambda is_weight: best_step,
    "spread": lambda is_weight: weight_spread if is_weight else act_spread,
}
