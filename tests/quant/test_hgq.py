"""HGQ: values and gradients of fractional bits, pruning at 0 bits, stored integers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from qonnx.custom_op.general.quant import quant

from codesign.quant.hgq import HgqActs, HgqWeights
from codesign.train.optimise import RelativeAdam
from tests.quant.draws import samples


def weights_with(fractions: torch.Tensor, x: torch.Tensor, each: bool) -> HgqWeights:
    """A quantiser of weights with these real-valued f."""
    shape = () if each or not fractions.dim() else tuple(fractions.shape)
    quantiser = HgqWeights(4, shape, each)
    quantiser.quantise(x)
    quantiser.step.data.copy_(torch.exp2(-fractions))
    return quantiser


@pytest.mark.parametrize(
    ("fractions", "each"),
    [
        (torch.tensor(2.3), False),
        (torch.tensor([[1.2], [3.9], [0.1]]), False),
        (samples(3, 40, seed=2).clamp(-1.6, 1.6) * 2 + 1, True),
    ],
    ids=["tensor", "channel", "weight"],
)
def test_the_published_gradient_of_fractional_bits(fractions, each):
    x = samples(3, 40).requires_grad_(True)
    behind = samples(3, 40, seed=1)
    quantiser = weights_with(fractions, x, each)
    found = quantiser.quantise(x)
    (found * behind).sum().backward()
    f_of_each = torch.broadcast_to(fractions, x.shape).flatten().tolist()
    d_f, values = [], []
    for v, f, g in zip(x.flatten().tolist(), f_of_each, behind.flatten().tolist(), strict=True):
        power = 2.0 ** round(f)
        q = round(v * power) / power
        values.append(q)
        d_f.append(g * (v - q) * math.log(2))
    assert found.flatten().tolist() == pytest.approx(values)
    assert torch.equal(x.grad, behind)
    expected = torch.tensor(d_f).reshape(x.shape).sum_to_size(fractions.shape)
    # The parameter is d = 2^-f with d used as 2^-round(f): dd/df = -d ln2.
    used = torch.exp2(-fractions.round())
    assert torch.allclose(-quantiser.step.grad * used * math.log(2), expected, atol=1e-4)


@pytest.mark.parametrize("each", [False, True])
def test_widths_are_the_bits_before_and_behind_the_point(each):
    x = torch.tensor([[0.9, -3.2, 0.05, 0.3]])
    fractions = torch.tensor([[2.0, 1.0, 3.0, 0.0]]) if each else torch.tensor(2.0)
    quantiser = weights_with(fractions, x, each)
    quantiser.quantise(x)
    if each:
        # 0.9 becomes 1.0, with 1 bit before the point, -3.2 -3.0 with 2; the others are pruned.
        assert quantiser.bits().tolist() == [[4, 4, 0, 0]]
        assert quantiser.quantise(x).tolist() == [[1.0, -3.0, 0.0, 0.0]]
    else:
        assert quantiser.bits().item() == 5
    y, scale, zero, width = (value.detach() for value in quantiser(x))
    assert np.array_equal(
        quant(y.numpy(), scale.numpy(), zero.numpy(), width.numpy(), True, True, "ROUND"), y.numpy()
    )


def test_a_price_on_bits_prunes_and_a_gradient_brings_back():
    x = samples(8, 20)
    quantiser = HgqWeights(6, (), each=True)
    quantiser.quantise(x)
    optimiser = RelativeAdam(quantiser.own_parameters(), lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        loss = ((quantiser.quantise(x) - x) ** 2).sum() + quantiser.bits().sum()
        loss.backward()
        optimiser.step()
        quantiser.clip_()
    kept = quantiser.quantise(x).detach() != 0
    assert 0.1 < kept.float().mean() < 0.9
    assert x[kept].abs().mean() > 2 * x[~kept].abs().mean()
    assert (quantiser.bits()[~kept] == 0).all()
    for _ in range(200):
        optimiser.zero_grad()
        ((quantiser.quantise(x) - x) ** 2).sum().backward()
        optimiser.step()
        quantiser.clip_()
    assert (quantiser.quantise(x) != 0).float().mean() > kept.float().mean() + 0.1


@pytest.mark.parametrize("signed", [False, True])
def test_activations(signed):
    quantiser = HgqActs(4, signed)
    x = (samples(500) * 1.7).requires_grad_(True)
    quantiser.quantise(x)
    whole = math.floor(math.log2(float(x.abs().max() if signed else x.max()))) + 1
    levels = 2 ** (4 - signed) - 1
    step = 2.0**whole / (levels + 1)
    quantiser.eval()
    found = quantiser.quantise(x)
    expected = [min(max(round(v / step), -levels if signed else 0), levels) for v in x.tolist()]
    assert found.tolist() == pytest.approx([q * step for q in expected])
    assert quantiser.integer_bits() == 4
    found.sum().backward()
    top = levels * step
    inside = [(-top if signed else 0) <= v <= top for v in x.tolist()]
    d_f = sum((v - y) * math.log(2) for v, y, i in zip(x.tolist(), found.tolist(), inside) if i)
    found_d_f = -float(quantiser.step.grad) * step * math.log(2)
    assert found_d_f == pytest.approx(d_f, rel=1e-3, abs=1e-3)
    quantiser.bits().backward()
    quantiser.set_bits(2 + signed)
    assert quantiser.integer_bits() == 2 + signed


def test_integers_never_need_more_than_8_bits():
    for each in (False, True):
        quantiser = HgqWeights(8, (), each)
        x = samples(50, 10) * 3
        quantiser.quantise(x)
        quantiser.step.data.fill_(1e-5)
        quantiser.clip_()
        y, scale, _, width = quantiser(x)
        assert width == 8 and (y / scale).abs().max() <= 127
        assert (y - x).abs().max() <= scale / 2


def test_a_weight_that_is_rounded_up_finds_room_in_the_stored_width():
    x = torch.tensor([[0.99, 0.3]])
    quantiser = weights_with(torch.tensor([[2.0, 6.0]]), x, each=True)
    y, scale, _, width = quantiser(x)
    assert (y / scale).tolist() == [[64, 19]]
    assert width == quantiser.integer_bits() == 8
