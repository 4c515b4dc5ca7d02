"""Optimisers: the network's own, one for steps and ranges, and the learning rate over time."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from codesign.quant.handles import QuantHandle
from codesign.recipe import TrainSpec


class RelativeAdam(torch.optim.Optimizer):
    """Adam (Kingma and Ba, 2015) on the logarithm of positive parameters: p <- p exp(-lr m / sqrt v).

    A step changes a parameter by a factor of about exp(lr) at most, whether it is 2^-12 or 100. DQ
    (Uhlich et al., ICLR 2020) clips gradients of step and range to the step for the same reason;
    here a layer whose loss gradient is strong against the budget's also gives way less.
    """

    def __init__(self, params: Iterable[nn.Parameter], lr: float) -> None:
        super().__init__(list(params), {"lr": lr, "betas": (0.9, 0.99), "eps": 1e-12})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._move(p, group["lr"], group["betas"], group["eps"])

    def _move(self, p: nn.Parameter, lr: float, betas: tuple[float, float], eps: float) -> None:
        state = self.state[p]
        if not state:
            state.update(count=0, mean=torch.zeros_like(p), square=torch.zeros_like(p))
        grad = p.grad * p
        state["count"] += 1
        state["mean"].lerp_(grad, 1 - betas[0])
        state["square"].lerp_(grad.square(), 1 - betas[1])
        mean = state["mean"] / (1 - betas[0] ** state["count"])
        square = state["square"] / (1 - betas[1] ** state["count"])
        p.mul_(torch.exp(-lr * mean / (square.sqrt() + eps)))


def network_optimiser(
    model: nn.Module, handles: Iterable[QuantHandle], spec: TrainSpec
) -> torch.optim.Optimizer:
    """Adam, SGD or RMSprop for everything but learned steps and ranges; weight decay for matrices only."""
    own = {id(p) for p in _quantiser_parameters(handles)}
    params = [p for p in model.parameters() if id(p) not in own]
    groups = [
        {"params": [p for p in params if p.dim() > 1], "weight_decay": spec.weight_decay},
        {"params": [p for p in params if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return _optimiser(groups, spec, spec.lr)


def quantiser_optimiser(
    handles: Iterable[QuantHandle], spec: TrainSpec
) -> torch.optim.Optimizer | None:
    """The optimiser of steps and ranges that `spec` names; None where there are none to learn."""
    params = _quantiser_parameters(handles)
    if not params:
        return None
    if spec.quantiser_optimiser == "relative":
        return RelativeAdam(params, spec.quantiser_lr)
    return _optimiser([{"params": params}], spec, spec.quantiser_lr)


def _optimiser(groups: list[dict], spec: TrainSpec, lr: float) -> torch.optim.Optimizer:
    """The network's optimiser; RMSprop has the constants of FDQMP (Schaefer et al., WACV 2024)."""
    if spec.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=spec.momentum)
    if spec.optimiser == "rmsprop":
        return torch.optim.RMSprop(groups, lr=lr, alpha=0.9, momentum=spec.momentum, eps=1e-3)
    return torch.optim.Adam(groups, lr=lr)


def _quantiser_parameters(handles: Iterable[QuantHandle]) -> list[nn.Parameter]:
    return [p for handle in handles if handle.is_learned for p in handle.parameters()]


def rate_factor(progress: float, warmup: float, schedule: str) -> float:
    """Learning rate over its start value at `progress` (0..1): linear rise, then the schedule."""
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    if schedule == "constant":
        return 1.0
    return 0.5 * (1 + math.cos(math.pi * (progress - warmup) / max(1e-9, 1 - warmup)))


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of every group."""
    for group in optimiser.param_groups:
        group["lr"] = rate
