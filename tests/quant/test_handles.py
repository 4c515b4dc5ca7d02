"""Handles: order, counts, and what turning them does to the network."""

from __future__ import annotations

import copy

import brevitas.nn as qnn
import pytest
import torch
from torch import nn

from codesign.errors import BadInput
from codesign.models.registry import build_model
from codesign.quant import LayerBits, QuantConfig
from codesign.quant.handles import handles, record_quantisers

SHAPE = (1, 8, 8)


def residual(**config: object) -> nn.Module:
    return build_model("resnet", SHAPE, 10, QuantConfig(**config), channels=2)


def test_execution_order_and_counts_of_a_small_network():
    config = QuantConfig(
        weight_bits=3, layers={"fc2": LayerBits(weight=1), "act1": LayerBits(act=2)}
    )
    model = build_model("tfc", SHAPE, 10, config, sizes=(12, 5))
    found = [(h.name, h.role, h.signed, h.numel, h.integer_bits()) for h in handles(model)]
    assert found == [
        ("fc1", "input", False, 64, 8),
        ("fc1", "weight", True, 64 * 12, 3),
        ("act1", "act", False, 12, 2),
        ("fc2", "weight", True, 12 * 5, 1),
        ("act2", "act", False, 5, 4),
        ("logits", "weight", True, 50, 3),
    ]


def test_counts_are_those_of_the_published_resnet20():
    """268,336 weights and 188,416 activations (DQ, table 3: 1048 and 736 KiB at 32 bit).

    The published network has shortcuts without weights, hence the projections are left out here.
    """
    model = build_model("resnet", (3, 32, 32), 10, QuantConfig(), depth=20)
    weights = sum(
        h.numel for h in handles(model) if h.role == "weight" and "shortcut" not in h.name
    )
    acts = sum(h.numel for h in handles(model) if h.role == "act" and ".join." not in h.name)
    assert weights == 268_336
    assert acts == 188_416 + 64  # and the requantised mean over the image


def test_a_shared_quantiser_appears_once_and_scales_both_branches_alike():
    model = residual()
    names = [h.name for h in handles(model) if "join" in h.name]
    assert names == [f"stages.{stage}.0.join.quantiser" for stage in range(3)]
    assert all(h.signed for h in handles(model) if "join" in h.name)


def test_bits_are_differentiable_and_set_bits_moves_them():
    model = residual(per_channel=True)
    learned = [h for h in handles(model) if h.is_learned]
    total = sum(h.bits() * h.numel for h in learned)
    total.backward()
    for handle in learned:
        step, qmax = handle.parameters()
        assert (step.grad < 0).all() and (qmax.grad > 0).all()
        handle.set_bits(3)
    assert {h.integer_bits() for h in learned} == {3}
    assert sum(h.bits() * h.numel for h in learned).item() == 3 * sum(h.numel for h in learned)


def test_narrowing_loses_less_than_keeping_the_range():
    model = build_model("tfc", SHAPE, 10, QuantConfig(weight_bits=8), sizes=(32,))
    torch.manual_seed(0)
    model.fc1.weight.data.normal_()
    kept, narrowed = copy.deepcopy(model), copy.deepcopy(model)
    handles(kept)[1].set_bits(2)
    handles(narrowed)[1].narrow(2)
    assert handles(narrowed)[1].integer_bits() == 2
    weight = model.fc1.weight
    errors = [((m.eval().fc1.quant_weight().value - weight) ** 2).mean() for m in (kept, narrowed)]
    assert errors[1] < 0.7 * errors[0]


def test_fixed_quantisers_have_no_width_gradient():
    handle = handles(residual(quantiser="fixed"))[1]
    assert handle.is_learned and not handle.bits().requires_grad
    assert len(handle.parameters()) == 1


def test_the_hardware_width_of_channels_is_the_widest():
    handle = next(h for h in handles(residual(per_channel=True)) if h.role == "weight")
    step, qmax = handle.parameters()
    qmax.data[0] = step.data[0] * 31
    assert handle.integer_bits() == 6
    assert 4 < handle.bits().item() < 6


def test_gradients_are_clipped_to_the_step():
    handle = handles(residual())[1]
    step, qmax = handle.parameters()
    step.grad, qmax.grad = torch.tensor(9.0), torch.tensor(-9.0)
    handle.clip_gradients_()
    assert step.grad == step
    assert qmax.grad == -step


def test_frozen_network_keeps_its_outputs_and_stops_learning():
    model = residual()
    x = torch.rand(4, *SHAPE)
    model(x)
    model.eval()
    before = model(x)
    for handle in handles(model):
        handle.freeze()
    assert torch.equal(model(x), before)
    assert not any(h.is_learned for h in handles(model))


def test_state_and_copies_carry_the_grid():
    trained, fresh = residual(), residual()
    trained(torch.rand(8, *SHAPE))
    for handle in handles(trained):
        if handle.is_learned:
            handle.set_bits(6)
    optimiser = torch.optim.SGD(fresh.parameters(), lr=1.0)
    fresh.load_state_dict(trained.state_dict())
    x = torch.rand(4, *SHAPE)
    expected = trained.eval()(x)
    assert torch.equal(fresh.eval()(x), expected)
    assert torch.equal(copy.deepcopy(trained)(x), expected)
    known = {id(p) for group in optimiser.param_groups for p in group["params"]}
    assert {id(p) for h in handles(fresh) for p in h.parameters()} <= known


def test_an_untraced_network_is_refused_and_brevitas_quantisers_are_read():
    model = nn.Sequential(
        qnn.QuantIdentity(bit_width=8),
        qnn.QuantLinear(4, 3, bias=False, weight_bit_width=5),
        qnn.QuantReLU(bit_width=3),
    )
    with pytest.raises(BadInput, match="record_quantisers"):
        handles(model)
    found = [
        (h.name, h.role, h.numel, h.integer_bits()) for h in handles(record_quantisers(model, (4,)))
    ]
    assert found == [("0", "input", 4, 8), ("1", "weight", 12, 5), ("2", "act", 3, 3)]
    with pytest.raises(BadInput, match="cannot move to 2"):
        handles(model)[1].set_bits(2)
