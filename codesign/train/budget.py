"""Budgets as differentiable functions of the learned widths, and the multipliers that hold them.

The memory constraints are (8a), (8b) and (8c) of "Mixed Precision DNNs: All you need is a good
parametrization" (Uhlich et al., ICLR 2020). Their squared hinge with a fixed factor does not keep
a budget; here each constraint has a multiplier that rises while it is broken (dual ascent).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from codesign.errors import BadInput
from codesign.quant.handles import QuantHandle
from codesign.recipe import BudgetSpec

BITS_PER_KIB = 8 * 1024

Demand = dict[str, Tensor]


class Widths(NamedTuple):
    """Width of each handle in bits, (handles,): `mean` over slices, and that of the `widest`."""

    mean: Tensor
    widest: Tensor


def learned_widths(handles: Sequence[QuantHandle]) -> Widths:
    """The widths as they are, differentiable where they are learned."""
    slices = [handle.quantiser.bits().to("cpu", torch.float32) for handle in handles]
    return Widths(torch.stack([s.mean() for s in slices]), torch.stack([s.max() for s in slices]))


def weights_kib(handles: Sequence[QuantHandle], bits: Tensor) -> Tensor:
    """(8a): memory of all weights in KiB; `bits` (handles,)."""
    return _kib(handles, bits, "weight").sum()


def activations_sum_kib(handles: Sequence[QuantHandle], bits: Tensor) -> Tensor:
    """(8b): memory of all activations of one sample in KiB, without input and logits."""
    return _kib(handles, bits, "act").sum()


def activations_max_kib(handles: Sequence[QuantHandle], bits: Tensor) -> Tensor:
    """(8c): the largest activation of one sample in KiB, without input and logits."""
    return _kib(handles, bits, "act").max()


MEMORY: dict[str, Callable[[Sequence[QuantHandle], Tensor], Tensor]] = {
    "weights_kib": weights_kib,
    "activations_sum_kib": activations_sum_kib,
    "activations_max_kib": activations_max_kib,
}


def _kib(handles: Sequence[QuantHandle], bits: Tensor, role: str) -> Tensor:
    """KiB of each quantised tensor; zero for those of another role."""
    sizes = [float(h.numel) if h.role == role else 0.0 for h in handles]
    return bits * torch.tensor(sizes) / BITS_PER_KIB


def check_memory(spec: BudgetSpec, handles: Sequence[QuantHandle]) -> None:
    """Raise BadInput for a memory budget that the narrowest widths overdraw."""
    check_reach(spec, handles, torch.tensor([_narrowest(handle) for handle in handles]))


def check_reach(spec: BudgetSpec, handles: Sequence[QuantHandle], narrowest: Tensor) -> None:
    """Raise BadInput for a memory budget that the widths `narrowest` (handles,) overdraw."""
    for key, limit in spec.memory.items():
        least = float(MEMORY[key](handles, narrowest))
        if least > limit:
            raise BadInput(
                f"[budget] {key} is {limit:g}, and this network needs {least:.4g} KiB even at the "
                "narrowest widths that it may take; raise the budget, allow narrower widths where "
                "they are given, or make the network smaller",
                key=key,
                found=limit,
                least=least,
            )


def _narrowest(handle: QuantHandle) -> float:
    """Bits below which learning and projection cannot go."""
    bits = handle.bits()
    return float(handle.least_bits) if bits.requires_grad else float(bits.max())


class BoardTerm(Protocol):
    """What a budget asks of the board: demands and limits by resource, renewed now and then."""

    limits: dict[str, float]

    def demand(self, widest: Tensor) -> Demand:
        """Estimated demand at widths (handles,), differentiable."""

    def refresh(self, model: nn.Module) -> None:
        """Search a folding for the network as it is and estimate from there on."""

    def saved(self) -> str:
        """State for a checkpoint."""

    def restore(self, text: str) -> None:
        """Go on from what `saved` returned."""


class Budget:
    """All constraints of a run: relative excess, penalty and multipliers.

    The penalty is the augmented Lagrangian of inequality constraints g_j <= 0 (Nocedal and Wright,
    Numerical Optimization, ch. 17): sum_j (max(0, lambda_j + rho g_j)^2 - lambda_j^2) / (2 rho),
    with g_j = demand / ((1 - margin) budget) - 1. Without `board` the board does not count.
    `progress` is the part of the phase that is done, 0..1, set before every step.
    """

    def __init__(
        self, spec: BudgetSpec, handles: Sequence[QuantHandle], board: BoardTerm | None = None
    ) -> None:
        self.spec = spec
        self.handles = handles
        self.board = board
        self.multipliers: dict[str, float] = {}
        self.progress = 0.0

    @property
    def limits(self) -> dict[str, float]:
        """Every budget by name; a resource that the board lacks counts in whole primitives."""
        board = self.board.limits if self.board else {}
        return self.spec.memory | {key: max(limit, 1.0) for key, limit in board.items()}

    def excess(self, widths: Widths | None = None) -> Demand:
        """Relative excess g_j of each constraint: of the learned widths, with the margin.

        Given integer `widths` stand for a finished network, which needs no margin. Differentiable;
        at most 0 where the constraint holds.
        """
        room = 1 - self.spec.margin if widths is None else 1.0
        widths = widths or learned_widths(self.handles)
        over = {
            key: MEMORY[key](self.handles, widths.mean) / (room * limit) - 1
            for key, limit in self.spec.memory.items()
        }
        if self.board is None:
            return over
        demand, limits = self.board.demand(widths.widest), self.limits
        return over | {key: demand[key] / (room * limits[key]) - 1 for key in demand}

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
