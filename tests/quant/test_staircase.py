"""Levels that are not equally spaced: powers of two and their sums, in torch and in QONNX's node."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from qonnx.custom_op.general.multithreshold import multithreshold

from codesign.quant.apot import ApotQuantiser, level_integers
from codesign.quant.p1 import P1Quantiser
from codesign.quant.p2 import P2Quantiser
from codesign.quant.p3 import P3Quantiser
from codesign.quant.quantiser import Quantiser
from tests.quant.draws import samples

# Sums of one element of each published set, over the step.
PUBLISHED = {
    1: [{0, 1}],
    2: [{0, 4, 2, 1}],
    3: [{0, 8, 4, 1}, {0, 2}],
    4: [{0, 32, 8, 2}, {0, 16, 4, 1}],
    5: [{0, 64, 16, 2}, {0, 32, 8, 1}, {0, 4}],
}


@pytest.mark.parametrize("bits", PUBLISHED)
def test_levels_of_apot(bits):
    sums = {0}
    for term in PUBLISHED[bits]:
        sums = {a + b for a in sums for b in term}
    assert level_integers(bits) == sorted(sums)
    assert len(sums) == 2**bits


def nearest(x: float, values: list[float]) -> float:
    return min(values, key=lambda v: abs(v - x))


def test_apot_weights_and_their_gradients():
    w = (samples(4, 50) * 0.2 + 0.1).requires_grad_(True)
    behind = samples(4, 50, seed=1)
    quantiser = ApotQuantiser(4, True, True)
    quantiser.clip.data.fill_(1.5)
    found = quantiser.quantise(w)
    (found * behind).sum().backward()

    # The paper's formulation: normalise, clip(u / a), nearest level, times a; deviation back.
    v = w.detach().double().requires_grad_(True)
    a = torch.tensor(1.5, dtype=torch.double, requires_grad=True)
    sigma = v.std(correction=0)
    u = (v - v.mean()) / sigma
    r = (u / a).clamp(-1, 1)
    levels = [k / 10 for k in (0, 1, 2, 3, 4, 6, 8, 10)]
    snapped = [math.copysign(nearest(abs(t), levels), t) for t in r.flatten().tolist()]
    p = r + (torch.tensor(snapped, dtype=torch.double).reshape(r.shape) - r).detach()
    ((a * p * sigma.detach()) * behind).sum().backward()
    assert torch.allclose(found.detach().double(), (a * p * sigma).detach(), atol=1e-5)
    assert torch.allclose(w.grad.double(), v.grad, atol=1e-5)
    assert quantiser.clip.grad.item() == pytest.approx(a.grad.item(), rel=1e-4)


def test_apot_activations_and_the_gradient_of_their_range():
    quantiser = ApotQuantiser(2, False, False)
    quantiser.clip.data.fill_(2.0)
    x = torch.tensor([-1.0, 0.1, 0.3, 0.6, 1.1, 1.6, 2.5], requires_grad=True)
    behind = samples(7)
    found = quantiser.quantise(x)
    (found * behind).sum().backward()
    assert found.tolist() == [0, 0, 0.5, 0.5, 1, 2, 2]
    expected = 0.0
    for v, y, g in zip(x.tolist(), found.tolist(), behind.tolist(), strict=True):
        expected += g * (1 if v > 2 else (y - v) / 2 if v > 0 else 0)
    assert quantiser.clip.grad.item() == pytest.approx(expected, rel=1e-4)
    assert x.grad.tolist() == pytest.approx([0, *behind[1:6].tolist(), 0])


UNEVEN = [
    *(ApotQuantiser(bits, False, False) for bits in (1, 3, 4, 5)),
    ApotQuantiser(4, False, False, as_power=True),
    *(
        kind(bits, False, False)
        for kind in (P1Quantiser, P2Quantiser, P3Quantiser)
        for bits in (2, 4)
    ),
]


@pytest.mark.parametrize("quantiser", UNEVEN, ids=lambda q: f"{type(q).__name__}{q.integer_bits()}")
def test_thresholds_give_torchs_values_in_qonnx_bit_for_bit(quantiser: Quantiser):
    x = samples(40, 50, seed=7) * 2
    quantiser.quantise(x)
    stairs = quantiser.staircase()
    x[0] = stairs.thresholds[torch.arange(50) % len(stairs.thresholds)]
    with torch.no_grad():
        y, scale, zero, width = quantiser(x)
    found = multithreshold(x.numpy(), stairs.repeated()[None].numpy(), float(stairs.scale))
    assert np.array_equal(y.numpy(), found)
    integers = (y / scale).round()
    assert torch.equal(integers * scale, y)
    assert integers.max() < 2 ** float(width) and zero == 0
    below = torch.nextafter(x[0], torch.tensor(-1.0))
    assert (quantiser.quantise(below) < y[0]).all()


def test_powers_of_activations_lie_at_the_published_thresholds():
    quantiser = P3Quantiser(3, is_weight=False, signed=False)
    quantiser.assign(torch.tensor(0.25), torch.tensor(2.0))
    for v in samples(300).abs().tolist():
        low = v < 0.25 / math.sqrt(2)
        expected = 0 if low else min(2, max(0.25, 2 ** math.floor(0.5 + math.log2(v))))
        assert quantiser.snap(torch.tensor([v])).item() == expected
