"""INQ against its paper: the rule by a naive loop, the held weights, and the code."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch

from codesign.errors import BadInput
from codesign.quant.inq import InqQuantiser
from codesign.quant.inq_code import code_bits, decode, encode
from tests.quant.draws import samples

BITS = (2, 3, 4, 5)


def weights(*shape: int, seed: int = 0) -> torch.Tensor:
    return samples(*shape, seed=seed) * 0.3


def published(values: list[float], bits: int) -> list[float]:
    """Equations (2) to (4) of the paper, one weight after the other."""
    s = max(abs(v) for v in values)
    n1 = math.floor(math.log2(4 * s / 3))
    n2 = int(n1 + 1 - 2 ** (bits - 1) / 2)
    ladder = [0.0] + [2.0**n for n in range(n2, n1 + 1)]
    out = []
    for v in values:
        found = 0.0
        for alpha, beta in itertools.pairwise(ladder):
            if (alpha + beta) / 2 <= abs(v) < 3 * beta / 2:
                found = math.copysign(beta, v)
        out.append(found)
    return out


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("shape", [(), (4, 1)])
def test_the_published_rule(bits, shape):
    w = weights(4, 300)
    w[0, :4] = torch.tensor([0.75, -0.375, 0.1875, 0.0])  # on the boundaries
    found = InqQuantiser(bits, True, True, shape=shape).eval().quantise(w)
    rows = [w[i] for i in range(4)] if shape else [w.flatten()]
    expected = [v for row in rows for v in published(row.tolist(), bits)]
    assert found.flatten().tolist() == expected
    assert all(len(row.unique()) <= 2 ** (bits - 1) + 1 for row in found)


@pytest.mark.parametrize("largest", [0.7499999, 0.75, 1.0, 1.4999999, 1.5])
def test_the_largest_power_at_its_boundaries(largest):
    w = torch.tensor([largest, 0.01])
    expected = 2.0 ** math.floor(math.log2(4 * float(w[0]) / 3))
    assert InqQuantiser(5, True, True).eval().quantise(w)[0] == expected


@pytest.mark.parametrize("bits", BITS)
def test_held_weights_never_change_and_values_stay_few(bits):
    w = torch.nn.Parameter(weights(20, 30))
    quantiser = InqQuantiser(bits, True, True)
    # Momentum and weight decay move what has no gradient, and free weights outgrow the first largest.
    optimiser = torch.optim.SGD([w], lr=0.5, momentum=0.9, weight_decay=0.1)
    target = weights(20, 30, seed=1) * 6
    known = torch.full_like(w, torch.nan)
    for portion in (0.25, 0.5, 1.0):
        quantiser.fix(w, portion, torch.randperm(w.numel()))
        for _ in range(4):
            y = quantiser.quantise(w)
            optimiser.zero_grad()
            ((y - target) ** 2).mean().backward()
            optimiser.step()
        now = quantiser.quantise(w).detach()
        was = ~known.isnan()
        assert torch.equal(now[was], known[was])
        fixed = ~quantiser.free
        assert int(fixed.sum()) == round(portion * w.numel())
        assert torch.equal(w.detach()[fixed], now[fixed])
        known = torch.where(fixed, now, torch.nan)
    assert len(now.unique()) <= 2 ** (bits - 1) + 1
    assert quantiser.eval().quantise(w).equal(now)


def test_only_free_weights_get_a_gradient():
    w = weights(50).requires_grad_(True)
    quantiser = InqQuantiser(3, True, True)
    order = w.detach().abs().argsort(descending=True)
    quantiser.fix(w, 0.4, order)
    quantiser.quantise(w).sum().backward()
    expected = torch.ones(50)
    expected[order[:20]] = 0
    assert torch.equal(w.grad, expected)


def test_held_weights_survive_a_state_dict():
    first, second = (InqQuantiser(4, True, True) for _ in range(2))
    w = weights(6, 5)
    first.fix(w, 0.5, torch.arange(30))
    second.load_state_dict(first.state_dict())
    assert torch.equal(second.held.isnan(), first.held.isnan())
    assert torch.equal(second.quantise(w * 3), first.quantise(w * 3))


@pytest.mark.parametrize("bits", BITS)
def test_the_code_and_its_size(bits):
    quantiser = InqQuantiser(bits, True, True).eval()
    w = weights(1000)
    values = quantiser.quantise(w).numpy()
    least = round(math.log2(float(quantiser.scale(w))))
    code = encode(values, least, bits)
    assert np.array_equal(decode(code, 1000, least, bits), values)
    words = sum(1 if v == 0 else bits for v in values)
    assert code_bits(values, bits) == words
    assert len(code) == math.ceil(words / 8)


def test_what_is_no_value_of_the_code_is_refused():
    with pytest.raises(BadInput, match="found 3.0"):
        encode(np.array([1.0, 3.0]), 0, 4)
    with pytest.raises(BadInput, match="weight 2 of 9"):
        decode(b"\xff\xff"[:1], 9, 0, 4)
    with pytest.raises(BadInput, match="2 to 5 bits"):
        InqQuantiser(6, True, True)
