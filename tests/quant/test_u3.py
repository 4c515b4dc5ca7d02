"""U3 against the paper's table, written out element by element in plain Python."""

from __future__ import annotations

import math

import pytest
import torch

from codesign.errors import BadInput
from codesign.quant.u3 import U3Quantiser
from tests.quant import draws

STEP = 0.3


def learned(step: float, qmax: float, is_weight: bool, signed: bool) -> U3Quantiser:
    quantiser = U3Quantiser(4, is_weight, signed)
    quantiser.step.data.fill_(step)
    quantiser.qmax.data.fill_(qmax)
    quantiser.calibrated.fill_(True)
    return quantiser


def paper_forward(x: float, step: float, qmax: float, signed: bool) -> float:
    if not signed and x < 0:
        return 0.0
    sign = math.copysign(1, x)
    if abs(x) > qmax:
        return sign * qmax
    return sign * step * math.floor(abs(x) / step + 0.5)


def paper_gradients(x: float, step: float, qmax: float, signed: bool) -> tuple[float, float, float]:
    """(dQ/dx, dQ/dd, dQ/dqmax) of the U3 row of the table."""
    if not signed and x < 0:
        return 0.0, 0.0, 0.0
    if abs(x) <= qmax:
        return 1.0, (paper_forward(x, step, qmax, signed) - x) / step, 0.0
    return 0.0, 0.0, math.copysign(1, x)


def samples(seed: int = 0) -> torch.Tensor:
    return draws.samples(200, seed=seed) * 2


# (range as learned, weights?, signed?, range that the paper's rounding and full_range give)
CASES = [
    (2.12, True, True, 7 * STEP),
    (1.47, True, True, 5 * STEP),
    (1.47, False, False, 7 * STEP),
    (2.12, False, False, 7 * STEP),
    (1.47, False, True, 7 * STEP),
    (0.31, True, True, STEP),
]


@pytest.mark.parametrize(("qmax", "is_weight", "signed", "used"), CASES)
def test_forward_and_gradients_are_the_published_ones(qmax, is_weight, signed, used):
    quantiser = learned(STEP, qmax, is_weight, signed)
    x = samples().requires_grad_(True)
    upstream = samples(1)
    y = quantiser.quantise(x)
    (y * upstream).sum().backward()
    rows = [paper_gradients(v, STEP, used, signed) for v in x.tolist()]
    expected = [paper_forward(v, STEP, used, signed) for v in x.tolist()]
    assert torch.allclose(y, torch.tensor(expected), atol=1e-6)
    d_x, d_step, d_qmax = (torch.tensor(column) for column in zip(*rows, strict=True))
    assert torch.equal(x.grad, d_x * upstream)
    assert torch.allclose(quantiser.step.grad, (d_step * upstream).sum(), rtol=1e-4, atol=1e-4)
    assert torch.allclose(quantiser.qmax.grad, (d_qmax * upstream).sum(), rtol=1e-4, atol=1e-4)


def test_the_bound_itself_is_inside():
    quantiser = learned(0.25, 1.75, is_weight=True, signed=True)
    x = torch.tensor([1.75, -1.75, 1.7500001, -1.7500001], requires_grad=True)
    quantiser.quantise(x).sum().backward()
    assert x.grad.tolist() == [1, 1, 0, 0]


def test_per_channel_is_one_quantiser_per_channel():
    whole = U3Quantiser(4, True, True, shape=(3, 1, 1, 1))
    steps, ranges = [0.1, 0.25, 0.4], [0.7, 0.75, 2.0]
    whole.step.data.copy_(torch.tensor(steps).reshape(3, 1, 1, 1))
    whole.qmax.data.copy_(torch.tensor(ranges).reshape(3, 1, 1, 1))
    whole.calibrated.fill_(True)
    x = samples()[:54].reshape(3, 2, 3, 3).requires_grad_(True)
    y = whole.quantise(x)
    (y * y.detach().cos()).sum().backward()
    for channel in range(3):
        single = learned(steps[channel], ranges[channel], True, True)
        part = x.detach()[channel].requires_grad_(True)
        z = single.quantise(part)
        (z * z.detach().cos()).sum().backward()
        assert torch.equal(y[channel], z)
        assert torch.equal(x.grad[channel], part.grad)
        assert torch.allclose(whole.step.grad[channel].squeeze(), single.step.grad, rtol=1e-4)
        assert torch.allclose(whole.qmax.grad[channel].squeeze(), single.qmax.grad, rtol=1e-4)
    assert whole.bits().flatten().tolist() == [4.0, 3.0, 4.0]
    assert whole.integer_bits() == 4


@pytest.mark.parametrize("signed", [True, False])
def test_bits_are_inferred_from_every_range(signed):
    step = 0.125
    for levels in range(1, 128 if signed else 256):
        quantiser = learned(step, levels * step, True, signed)
        expected = math.ceil(math.log2(levels + 1)) + signed
        assert quantiser.integer_bits() == expected


@pytest.mark.parametrize("signed", [True, False])
def test_gradient_of_bits_is_the_published_one(signed):
    quantiser = learned(0.2, 1.4, True, signed)
    quantiser.bits().backward()
    assert quantiser.qmax.grad.item() == pytest.approx(1 / (math.log(2) * 1.6))
    assert quantiser.step.grad.item() == pytest.approx(-1.4 / (0.2 * math.log(2) * 1.6))


def test_step_is_rounded_to_a_power_of_two():
    quantiser = U3Quantiser(4, True, True, as_power=True)
    quantiser.step.data.fill_(0.18)
    quantiser.qmax.data.fill_(0.9)
    quantiser.calibrated.fill_(True)
    x = samples().requires_grad_(True)
    y = quantiser.quantise(x)
    # 2^round(log2 0.18) = 2^-2, and 0.9 is four such steps.
    assert y.unique().tolist() == [level / 4 for level in range(-4, 5)]
    y.sum().backward()
    expected = sum(paper_gradients(v, 0.25, 1.0, True)[1] for v in x.tolist())
    assert quantiser.step.grad.item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("is_weight", "signed", "widths"),
    [(True, True, range(2, 9)), (False, True, range(2, 9)), (False, False, range(1, 9))],
)
@pytest.mark.parametrize("as_power", [False, True])
def test_every_width_can_be_set(is_weight, signed, widths, as_power):
    quantiser = U3Quantiser(4, is_weight, signed, as_power)
    x = samples(3) * 0.1
    quantiser.quantise(x)
    for bits in widths:
        quantiser.set_bits(bits)
        quantiser.clip_()
        assert quantiser.integer_bits() == bits
        levels = (quantiser.quantise(x * 100) / quantiser.grid().step).round()
        assert levels.max() == 2 ** (bits - signed) - 1
        assert levels.min() == (-(2 ** (bits - 1)) + 1 if signed else 0)


def test_signed_learned_width_of_one_bit_is_refused():
    with pytest.raises(BadInput, match="starts at 2 bits.*bipolar"):
        U3Quantiser(1, True, True)
    with pytest.raises(BadInput, match="starts at 2 bits"):
        U3Quantiser(4, True, True).set_bits(1)
    with pytest.raises(BadInput, match="from 1 to 8"):
        U3Quantiser(4, True, True).set_bits(9)


def test_clip_keeps_the_legal_region():
    quantiser = learned(5.0, 0.001, is_weight=True, signed=True)
    quantiser.clip_()
    assert quantiser.qmax.item() == 2.0**-8
    assert quantiser.step.item() <= quantiser.qmax.item() - 0.9e-5
    quantiser = learned(0.001, 100.0, is_weight=True, signed=True)
    quantiser.clip_()
    assert quantiser.integer_bits() == 8
    assert quantiser.step.item() == pytest.approx(100 / 127)


def test_freezing_keeps_the_values():
    quantiser = U3Quantiser(5, True, True, as_power=True)
    x = samples(4)
    before = quantiser.quantise(x)
    quantiser.freeze()
    assert torch.equal(quantiser.quantise(x), before)
    assert not quantiser.is_learned
    assert quantiser.qmax.item() == quantiser.quantise(x * 100).max().item()


def test_first_grid_beats_the_full_range_on_a_gaussian():
    x = samples(5)
    quantiser = U3Quantiser(3, True, True)
    error = ((quantiser.quantise(x) - x) ** 2).mean()
    step = x.abs().max() / 3
    plain = ((torch.round(x / step) * step - x) ** 2).mean()
    assert error < 0.8 * plain


def test_gradient_descent_finds_a_better_gaussian_quantiser():
    """The first experiment of the paper in small: descent on d and qmax finds the range."""
    x = samples(6)
    quantiser = learned(0.05, 0.35, is_weight=True, signed=True)
    optimiser = torch.optim.SGD(quantiser.parameters(), lr=0.1)
    errors = []
    for _ in range(200):
        loss = ((quantiser.quantise(x) - x) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        quantiser.clip_()
        errors.append(loss.item())
    assert errors[-1] < 0.05 * errors[0]
