"""U1, U2, P1, P2 and P3 against the published table, and against derivatives of the tie."""

from __future__ import annotations

import math

import pytest
import torch

from codesign.errors import BadInput
from codesign.quant.p1 import P1Quantiser
from codesign.quant.p2 import P2Quantiser
from codesign.quant.p3 import P3Quantiser
from codesign.quant.u1 import U1Quantiser
from codesign.quant.u2 import U2Quantiser

X = [-3.3, -1.9, -0.7, -0.26, -0.05, 0.04, 0.2, 0.31, 0.9, 1.4, 2.9]


def gradients(quantiser, x: float, *parameters: torch.Tensor) -> list[float]:
    quantiser.calibrated.fill_(True)
    value = torch.tensor([x], requires_grad=True)
    found = torch.autograd.grad(quantiser.quantise(value).sum(), (value, *parameters))
    return [float(g) for g in found]


@pytest.mark.parametrize("x", X)
def test_u1(x):
    d, b = 0.25, 4
    quantiser = U1Quantiser(b, is_weight=True, signed=True)
    quantiser.step.data.fill_(d)
    qmax, sign = (2 ** (b - 1) - 1) * d, math.copysign(1, x)
    q = sign * d * math.floor(abs(x) / d + 0.5)
    expected = (
        [1, (q - x) / d, 0]
        if abs(x) <= qmax
        else [0, (2 ** (b - 1) - 1) * sign, 2 ** (b - 1) * math.log(2) * d * sign]
    )
    found = gradients(quantiser, x, quantiser.step, quantiser.width)
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("x", X)
def test_u2(x):
    qmax, b = 1.75, 3
    quantiser = U2Quantiser(b, is_weight=True, signed=True)
    quantiser.qmax.data.fill_(qmax)
    s, sign = 2 ** (b - 1), math.copysign(1, x)
    d = qmax / (s - 1)
    q = sign * d * math.floor(abs(x) / d + 0.5)
    expected = (
        [1, (q - x) / qmax, -(s * math.log(2) / (s - 1)) * (q - x)]
        if abs(x) <= qmax
        else [0, sign, 0]
    )
    found = gradients(quantiser, x, quantiser.qmax, quantiser.width)
    assert found == pytest.approx(expected, abs=1e-5)


def power(x: float, low: float, high: float) -> float:
    size = (
        low
        if abs(x) <= low
        else high
        if abs(x) > high
        else 2 ** math.floor(0.5 + math.log2(abs(x)))
    )
    return math.copysign(size, x)


@pytest.mark.parametrize("x", X)
def test_p3(x):
    low, high = 0.125, 2.0
    quantiser = P3Quantiser(3, is_weight=True, signed=True)
    quantiser.assign(torch.tensor(low), torch.tensor(high))
    sign, q = math.copysign(1, x), power(x, low, high)
    inside = low < abs(x) <= high
    expected = [q / x * inside, sign * (abs(x) <= low), sign * (abs(x) > high)]
    found = gradients(quantiser, x, quantiser.qmin, quantiser.qmax)
    assert found == pytest.approx(expected, abs=1e-5)
    assert quantiser.snap(torch.tensor([x])).item() == q


@pytest.mark.parametrize("x", X)
@pytest.mark.parametrize("kind", [P1Quantiser, P2Quantiser])
def test_p1_and_p2_are_derivatives_of_their_tie(kind, x):
    """Central differences of Q with a real-valued width, in the band that x lies in."""
    b, end = 3.0, 2.0 if kind is P1Quantiser else 0.25
    quantiser = kind(3, is_weight=True, signed=True)
    own = quantiser.qmax if kind is P1Quantiser else quantiser.qmin
    own.data.fill_(end)

    def value(width: float, at: float) -> float:
        ratio = 2 ** (2 ** (width - 1) - 1)
        low, high = (at / ratio, at) if kind is P1Quantiser else (at, at * ratio)
        return power(x, low, high)

    h = 1e-5
    d_width = (value(b + h, end) - value(b - h, end)) / (2 * h)
    d_end = (value(b, end + h) - value(b, end - h)) / (2 * h)
    found = gradients(quantiser, x, quantiser.width, own)
    assert found[1:] == pytest.approx([d_width, d_end], abs=1e-3)


def test_activations_of_powers_have_a_zero_below_qmin_over_sqrt2():
    quantiser = P3Quantiser(3, is_weight=False, signed=False)
    quantiser.assign(torch.tensor(0.25), torch.tensor(2.0))
    x = torch.tensor([-1.0, 0.17, 0.18, 0.25, 5.0])
    assert quantiser.snap(x).tolist() == [0, 0, 0.25, 0.25, 2]


@pytest.mark.parametrize("kind", [U1Quantiser, U2Quantiser, P1Quantiser, P2Quantiser, P3Quantiser])
@pytest.mark.parametrize("bits", [2, 3, 4])
def test_widths_are_kept_and_learned(kind, bits):
    quantiser = kind(bits, is_weight=True, signed=True)
    w = torch.randn(4000, generator=torch.Generator().manual_seed(0))
    values = quantiser.quantise(w).detach().unique()
    uniform = kind in (U1Quantiser, U2Quantiser)
    assert len(values) == (2**bits - 1 if uniform else 2**bits)
    assert quantiser.integer_bits() == bits
    quantiser.bits().sum().backward()
    grads = [p.grad for p in quantiser.own_parameters() if p.grad is not None]
    assert any(float(g.abs().sum()) > 0 for g in grads)
    quantiser.set_bits(2)
    assert quantiser.integer_bits() == 2


def test_wide_powers_are_refused():
    with pytest.raises(BadInput, match="powers of two have 2 to 5 bits"):
        P3Quantiser(6, is_weight=True, signed=True)
