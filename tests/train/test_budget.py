"""Memory budgets against published sizes, and multipliers that hold a budget."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from codesign.errors import BadInput
from codesign.recipe import BudgetSpec
from codesign.train.budget import (
    Budget,
    activations_max_kib,
    activations_sum_kib,
    check_memory,
    learned_widths,
    weights_kib,
)
from codesign.train.hinge import Hinge


def fake(role: str, numel: int, bits: float | torch.Tensor) -> SimpleNamespace:
    quantiser = SimpleNamespace(bits=lambda: torch.as_tensor(bits))
    least = 2 if role == "weight" else 1
    return SimpleNamespace(
        role=role, numel=numel, quantiser=quantiser, bits=quantiser.bits, least_bits=least
    )


def resnet20(weight_bits: float, act_bits: float) -> list[SimpleNamespace]:
    """ResNet-20 of DQ: option-A shortcuts; one activation after each of 19 convolutions."""
    layers = [(3, 16, 32)]
    for width, before, side in ((16, 16, 32), (32, 16, 16), (64, 32, 8)):
        layers += [(before, width, side), *[(width, width, side)] * 5]
    made = [fake("input", 3 * 32 * 32, 8.0)]
    for inputs, outputs, side in layers:
        made.append(fake("weight", outputs * inputs * 9, float(weight_bits)))
        made.append(fake("act", outputs * side * side, float(act_bits)))
    return [*made, fake("weight", 640, float(weight_bits))]


@pytest.mark.parametrize(
    ("weight_bits", "act_bits", "weights", "largest", "total"),
    # Uhlich et al. 2020, table 3: KiB of weights, largest activation and sum of activations.
    [(32, 32, 1048, 64, 736), (2, 32, 65.5, 64, 736), (2, 4, 65.5, 8, 92)],
)
def test_sizes_of_resnet20_are_those_of_the_paper(
    weight_bits: int, act_bits: int, weights: float, largest: float, total: float
) -> None:
    net = resnet20(weight_bits, act_bits)
    bits = learned_widths(net).mean
    assert float(weights_kib(net, bits)) == pytest.approx(weights, abs=0.5)
    assert float(activations_max_kib(net, bits)) == pytest.approx(largest)
    assert float(activations_sum_kib(net, bits)) == pytest.approx(total)


def test_penalty_is_zero_within_the_budget_and_pulls_bits_down_outside() -> None:
    bits = torch.tensor(8.0, requires_grad=True)
    layer = [fake("weight", 8192, bits)]
    free = Budget(BudgetSpec(weights_kib=10.0), layer)
    assert float(free.penalty().detach()) == 0.0
    tight = Budget(BudgetSpec(weights_kib=4.0, rho=2.0), layer)
    penalty = tight.penalty()
    # 8 KiB against 4: excess 1; rho / 2 * excess^2 = 1.
    assert float(penalty.detach()) == pytest.approx(1.0)
    penalty.backward()
    assert float(bits.grad) == pytest.approx(2.0 * 1.0 / 4.0)


def test_multipliers_rise_while_broken_and_fall_when_there_is_room() -> None:
    bits = torch.tensor(8.0)
    budget = Budget(BudgetSpec(weights_kib=4.0, dual_rate=0.5), [fake("weight", 8192, bits)])
    assert budget.ascend() == {"weights_kib": pytest.approx(1.0)}
    assert budget.multipliers == {"weights_kib": pytest.approx(0.5)}
    bits.fill_(2.0)
    budget.ascend()
    assert budget.multipliers == {"weights_kib": pytest.approx(0.25)}
    for _ in range(3):
        budget.ascend()
    assert budget.multipliers == {"weights_kib": 0.0}


def test_dual_ascent_reaches_a_budget_that_a_fixed_factor_misses() -> None:
    """Task loss (8 - b)^2 wants 8 bits, the budget allows 4: only growing multipliers get there."""

    def learned(dual_rate: float) -> float:
        bits = torch.nn.Parameter(torch.tensor(8.0))
        spec = BudgetSpec(weights_kib=4.0, rho=0.1, dual_rate=dual_rate)
        budget = Budget(spec, [fake("weight", 8192, bits)])
        optimiser = torch.optim.SGD([bits], lr=0.1)
        for _epoch in range(200):
            for _step in range(10):
                optimiser.zero_grad()
                ((8 - bits) ** 2 + budget.penalty()).backward()
                optimiser.step()
            budget.ascend()
        return float(bits.detach())

    assert learned(dual_rate=0.0) > 7.5
    assert learned(dual_rate=2.0) == pytest.approx(4.0, abs=0.05)


def test_hinge_is_that_of_dq_in_kib():
    """Uhlich et al. 2020: J + sum_j lambda_j max(0, g_j)^2, lambda = 0.1."""
    bits = torch.tensor(8.0, requires_grad=True)
    network = [fake("weight", 8192, bits), fake("act", 1024, 4.0), fake("act", 4096, 4.0)]
    spec = BudgetSpec(
        penalty="hinge", weights_kib=5.0, activations_sum_kib=3.0, activations_max_kib=1.5
    )
    penalty = Hinge(spec, network).penalty()
    # 8 of 5 KiB, 2.5 of 3 KiB, 2 of 1.5 KiB.
    assert float(penalty.detach()) == pytest.approx(0.1 * (3**2 + 0 + 0.5**2))
    penalty.backward()
    assert float(bits.grad) == pytest.approx(0.1 * 2 * 3)


def test_the_smallest_reachable_size_is_named_for_each_constraint():
    learned = torch.tensor(6.0, requires_grad=True)
    network = [fake("weight", 8192, learned), fake("act", 4096, learned), fake("act", 8192, 3.0)]
    # Weights 2 bits at least: 2 KiB; activations 1 bit and the given 3: 3.5 in all, 3 the largest.
    for key, limit, least in (
        ("weights_kib", 1.9, "2 KiB"),
        ("activations_sum_kib", 3.4, "3.5 KiB"),
        ("activations_max_kib", 2.9, "3 KiB"),
    ):
        with pytest.raises(BadInput, match=rf"{key} is {limit}, and this network needs {least}"):
            check_memory(BudgetSpec(**{key: limit}), network)
        check_memory(BudgetSpec(**{key: limit + 0.2}), network)
