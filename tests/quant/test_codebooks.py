"""TTQ, centroids and LQ-Net: their values by brute force, their gradients by other formulations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from codesign.quant.centroids import PERIOD_STEPS, CentroidQuantiser, SharedQuantiser
from codesign.quant.lq_net import KEEP, LqActs, LqWeights, binary_codes, nearest, refitted
from codesign.quant.ttq import TtqQuantiser
from tests.quant.draws import samples


@pytest.mark.parametrize("shape", [(), (3, 1)])
def test_ttq_by_autograd_of_masks(shape):
    w, behind = samples(3, 40).requires_grad_(True), samples(3, 40, seed=1)
    quantiser = TtqQuantiser(2, True, True, False, shape)
    found = quantiser.quantise(w)
    (found * behind).sum().backward()
    p, n = (v.detach().clone().requires_grad_(True) for v in quantiser.own_parameters())
    size = w.detach().abs()
    delta = 0.05 * (size.amax(1, keepdim=True) if shape else size.max())
    over, under = (w > delta).float(), (w < -delta).float()
    (((p * over) - (n * under)) * behind).sum().backward()
    assert torch.equal(found, p * over - n * under)
    assert torch.allclose(quantiser.positive.grad, p.grad, atol=1e-5)
    assert torch.allclose(quantiser.negative.grad, n.grad, atol=1e-5)
    slopes = [
        float(torch.broadcast_to(p, w.shape).flatten()[i])
        if a
        else float(torch.broadcast_to(n, w.shape).flatten()[i])
        if b
        else 1.0
        for i, (a, b) in enumerate(zip(over.flatten(), under.flatten(), strict=True))
    ]
    assert torch.allclose(w.grad.flatten(), behind.flatten() * torch.tensor(slopes), atol=1e-6)


def test_ttq_begins_at_the_means_of_both_sides():
    w = samples(200)
    quantiser = TtqQuantiser(2, True, True)
    quantiser.quantise(w)
    top = 0.05 * max(abs(v) for v in w.tolist())
    over, under = [v for v in w.tolist() if v > top], [-v for v in w.tolist() if v < -top]
    assert quantiser.positive.item() == pytest.approx(sum(over) / len(over), rel=1e-4)
    assert quantiser.negative.item() == pytest.approx(sum(under) / len(under), rel=1e-4)


def lloyd(values: list[float], centroids: list[float], rounds: int) -> list[float]:
    for _ in range(rounds):
        groups = [[] for _ in centroids]
        for v in values:
            groups[min(range(len(centroids)), key=lambda k: abs(v - centroids[k]))].append(v)
        pairs = zip(groups, centroids, strict=True)
        centroids = sorted(sum(g) / len(g) if g else c for g, c in pairs)
    return centroids


def test_centroids_are_those_of_k_means_and_follow_their_weights():
    w = torch.nn.Parameter(samples(12, 20))
    quantiser = CentroidQuantiser(3, True, True)
    found = quantiser.quantise(w)
    values = w.flatten().tolist()
    low, high = min(values), max(values)
    expected = lloyd(values, [low + (high - low) * k / 7 for k in range(8)], 20)
    assert quantiser.centroids.tolist() == pytest.approx(expected, rel=1e-4, abs=1e-5)
    by_hand = [min(expected, key=lambda c: abs(c - v)) for v in values]
    assert found.flatten().tolist() == pytest.approx(by_hand, abs=1e-4)
    behind = samples(12, 20, seed=1)
    (found * behind).sum().backward()
    assert torch.equal(w.grad, behind)
    with torch.no_grad():
        w.mul_(2)
    before = quantiser.centroids.clone()
    for _ in range(PERIOD_STEPS):
        quantiser.quantise(w)
    moved = lloyd([2 * v for v in values], before.tolist(), 3)
    assert quantiser.centroids.tolist() == pytest.approx(moved, rel=1e-4, abs=1e-5)


def test_a_shared_centroid_gets_the_sum_of_the_gradients_of_its_weights():
    w = torch.nn.Parameter(samples(6, 30))
    quantiser = SharedQuantiser(2, True, True)
    behind = samples(6, 30, seed=1)
    found = quantiser.quantise(w)
    (found * behind).sum().backward()
    sums = [0.0] * 4
    for v, g in zip(found.flatten().tolist(), behind.flatten().tolist(), strict=True):
        sums[quantiser.centroids.tolist().index(v)] += g
    assert quantiser.centroids.grad.tolist() == pytest.approx(sums, rel=1e-4)
    assert w.grad is None
    with torch.no_grad():
        w.neg_()
    assert torch.equal(quantiser.quantise(w), found)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("bits", [1, 2, 3])
def test_levels_and_fit_of_lq_net(bits, signed):
    rows = samples(2, 300) if signed else samples(2, 300).abs()
    basis = samples(2, bits, seed=2).abs() + 0.1
    values, codes = nearest(rows, basis, binary_codes(bits, signed))
    digits = (-1, 1) if signed else (0, 1)
    for row, v, found in zip(rows.tolist(), basis.tolist(), values.tolist(), strict=True):
        levels = [
            sum(a * b for a, b in zip(v, e, strict=True))
            for e in itertools.product(digits, repeat=bits)
        ]
        expected = [min(levels, key=lambda level: abs(level - x)) for x in row]
        assert found == pytest.approx(expected, abs=1e-5)
    assert torch.allclose((codes * basis[:, None]).sum(2), values, atol=1e-5)
    fit = refitted(rows, codes)
    for row, code, v in zip(rows.numpy(), codes.numpy(), fit.numpy(), strict=True):
        assert np.allclose(np.linalg.lstsq(code, row, rcond=None)[0], v, rtol=2e-2, atol=2e-2)


def test_the_basis_moves_by_its_average_and_qem_lowers_the_error():
    w = samples(4, 250)
    quantiser = LqWeights(2, True, True, shape=(4, 1))
    first = ((quantiser.quantise(w) - w) ** 2).mean()
    # The best 4 levels for a Gaussian have an error of 0.1175 (Max, 1960).
    assert first < 0.14
    before = quantiser.basis.clone()
    other = w * 3
    expected = KEEP * before + (1 - KEEP) * refitted(
        other, nearest(other, before, quantiser.codes())[1]
    )
    quantiser.quantise(other)
    assert torch.allclose(quantiser.basis, expected)
    quantiser.eval().quantise(w)
    assert torch.allclose(quantiser.basis, expected)


def test_the_whole_gradient_passes_weights_of_lq_net():
    w, behind = samples(3, 40).requires_grad_(True), samples(3, 40, seed=1)
    (LqWeights(2, True, True, False, (3, 1)).quantise(w) * behind).sum().backward()
    assert torch.equal(w.grad, behind)


def test_activations_of_lq_net():
    quantiser = LqActs(2, False, False)
    x = samples(400).requires_grad_(True)
    y = quantiser.quantise(x)
    y.sum().backward()
    top = quantiser.basis.sum().item()
    assert len(y.unique()) == 4 and y.min() == 0
    assert x.grad.tolist() == [float(0 <= v <= top) for v in x.tolist()]


@pytest.mark.parametrize(
    "quantiser",
    [
        TtqQuantiser(2, True, True, as_power=True),
        CentroidQuantiser(4, True, True, as_power=True),
        SharedQuantiser(3, True, True, as_power=True),
        LqWeights(3, True, True, True, (4, 1)),
    ],
    ids=lambda q: type(q).__name__,
)
def test_a_power_of_two_step_makes_integers_of_8_bits(quantiser):
    w = samples(4, 100) * 0.3
    y, scale, zero, width = quantiser(w)
    integers = y / scale
    assert torch.equal(integers, integers.round()) and integers.abs().max() in range(64, 128)
    assert (zero, width) == (0, 8)
    assert float(torch.frexp(scale).mantissa) == 0.5
    assert ((y - w) ** 2).mean() < 0.4 * (w**2).mean()
