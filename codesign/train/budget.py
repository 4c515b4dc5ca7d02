"""Budgets as differentiable functions of the learned widths, and the multipliers that hold them.

The memory constraints are (8a), (8b) and (8c) of "Mixed Precision DNNs: All you need is a good
parametrization" (Uhlich et al., ICLR 2020). Their squared hinge with a fixed factor does not keep
a budget; here each constraint has a multiplier that rises while it is broken (dual ascent).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from codesign.quant.handles import QuantHandle
from codesign.recipe import BudgetSpec

BITS_PER_KIB = 8 * 1024

Demand = dict[str, Tensor]


def weights_kib(handles: Sequence[QuantHandle]) -> Tensor:
    """(8a): memory of all weights in KiB."""
    return _kib(handles, "weight").sum()


def activations_sum_kib(handles: Sequence[QuantHandle]) -> Tensor:
    """(8b): memory of all activations of one sample in KiB, without input and logits."""
    return _kib(handles, "act").sum()


def activations_max_kib(handles: Sequence[QuantHandle]) -> Tensor:
    """(8c): the largest activation of one sample in KiB, without input and logits."""
    return _kib(handles, "act").max()


MEMORY: dict[str, Callable[[Sequence[QuantHandle]], Tensor]] = {
    "weights_kib": weights_kib,
    "activations_sum_kib": activations_sum_kib,
    "activations_max_kib": activations_max_kib,
}


def _kib(handles: Sequence[QuantHandle], role: str) -> Tensor:
    """KiB of each quantised tensor of `role`; one zero where there is none."""
    sizes = [
        handle.bits().mean() * handle.numel / BITS_PER_KIB
        for handle in handles
        if handle.role == role
    ]
    return torch.stack(sizes) if sizes else torch.zeros(1)


class Budget:
    """All constraints of a run: relative excess, penalty and multipliers.

    The penalty is the augmented Lagrangian of inequality constraints g_j <= 0 (Nocedal and Wright,
    Numerical Optimization, ch. 17): sum_j (max(0, lambda_j + rho g_j)^2 - lambda_j^2) / (2 rho),
    with g_j = demand / ((1 - margin) budget) - 1. `board` gives demands and budgets of the board's
    resources; None leaves the board out.
    """

    def __init__(
        self,
        spec: BudgetSpec,
        handles: Sequence[QuantHandle],
        board: Callable[[], tuple[Demand, dict[str, float]]] | None = None,
    ) -> None:
        self.spec = spec
        self.handles = handles
        self.board = board
        self.multipliers: dict[str, float] = {}

    def excess(self) -> Demand:
        """Relative excess g_j of each constraint, differentiable; at most 0 where it holds."""
        room = 1 - self.spec.margin
        over = {
            key: MEMORY[key](self.handles) / (room * limit) - 1
            for key, limit in self.spec.memory.items()
        }
        if self.board is None:
            return over
        demands, budget = self.board()
        # A resource the device lacks counts in whole primitives.
        over |= {key: d / (room * max(budget[key], 1.0)) - 1 for key, d in demands.items()}
        return over

    def penalty(self) -> Tensor:
        """What is added to the loss of every step."""
        rho = self.spec.rho
        total = torch.zeros(())
        for key, over in self.excess().items():
            multiplier = self.multipliers.get(key, self.spec.lambda0)
            push = torch.relu(multiplier + rho * over)
            total = total + (push.square() - multiplier**2) / (2 * rho)
        return total

    @torch.no_grad()
    def ascend(self) -> dict[str, float]:
        """Move each multiplier by its excess, once an epoch; returns the relative excesses."""
        over = {key: float(value) for key, value in self.excess().items()}
        for key, value in over.items():
            before = self.multipliers.get(key, self.spec.lambda0)
            self.multipliers[key] = max(0.0, before + self.spec.dual_rate * value)
        return over
