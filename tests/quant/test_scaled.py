"""BinaryConnect, XNOR, LSQ+ and SAT against their papers, one number after the other."""

from __future__ import annotations

import math
import statistics

import pytest
import torch

from codesign.quant.binary_connect import BinaryConnectQuantiser
from codesign.quant.lsq_plus import OffsetQuantiser, lsq_plus
from codesign.quant.sat import CalibratedPact, SatWeights
from codesign.quant.xnor import XnorQuantiser
from tests.quant.draws import samples


def test_binaryconnect_passes_every_gradient_and_clips_its_weights():
    w = torch.nn.Parameter(torch.tensor([-3.0, -0.2, 0.0, 0.7, 1.5]))
    behind = torch.tensor([1.0, -2.0, 3.0, -4.0, 5.0])
    found = BinaryConnectQuantiser(1, True, True).quantise(w)
    assert found.tolist() == [-1, -1, 1, 1, 1]
    (found * behind).sum().backward()
    assert w.grad.tolist() == behind.tolist()
    assert w.tolist() == pytest.approx([-1, -0.2, 0, 0.7, 1])


@pytest.mark.parametrize("shape", [(), (3, 1)])
def test_xnor_has_a_scale_per_filter_and_the_published_gradient(shape):
    w = (samples(3, 10) * 1.2).requires_grad_(True)
    behind = samples(3, 10, seed=1)
    found = XnorQuantiser(1, True, True, False, shape).quantise(w)
    (found * behind).sum().backward()
    rows = w.tolist() if shape else [w.flatten().tolist()]
    values, slopes = [], []
    for row in rows:
        alpha = sum(map(abs, row)) / len(row)
        values += [math.copysign(alpha, v) for v in row]
        slopes += [1 / len(row) + alpha * (abs(v) <= 1) for v in row]
    assert found.flatten().tolist() == pytest.approx(values, rel=1e-5)
    expected = [g * s for g, s in zip(behind.flatten().tolist(), slopes, strict=True)]
    assert w.grad.flatten().tolist() == pytest.approx(expected, rel=1e-4)


def offset_quantiser(bits: int, step: float, offset: float) -> OffsetQuantiser:
    quantiser = OffsetQuantiser(bits, False, False)
    quantiser.step.data.fill_(step)
    quantiser.offset.data.fill_(offset)
    quantiser.calibrated.fill_(True)
    return quantiser


def test_lsq_plus_values_and_gradients():
    s, b, top = 0.25, -0.5, 7
    quantiser = offset_quantiser(3, s, b)
    x = torch.tensor([[-2.0, -0.51, -0.45, -0.1, 0.0, 0.3, 0.6, 1.2, 1.3, 4.0]])
    x.requires_grad_(True)
    behind = samples(1, 10)
    found = quantiser.quantise(x)
    (found * behind).sum().backward()
    d_x, d_step, d_offset, values = [], 0.0, 0.0, []
    for v, g in zip(x[0].tolist(), behind[0].tolist(), strict=True):
        u = (v - b) / s
        q = round(min(max(u, 0), top))
        values.append(q * s + b)
        inside = 0 <= u <= top
        d_x.append(g * inside)
        d_step += g * (q - u if inside else q)
        d_offset += g * (not inside)
    assert found[0].tolist() == pytest.approx(values)
    assert x.grad[0].tolist() == pytest.approx(d_x)
    factor = 1 / math.sqrt(10 * top)
    assert quantiser.step.grad.item() == pytest.approx(d_step * factor, rel=1e-4)
    assert quantiser.offset.grad.item() == pytest.approx(d_offset * factor, rel=1e-4)


def test_zero_is_always_a_level_of_lsq_plus():
    quantiser = offset_quantiser(4, 0.3, 1.0)
    for offset in (1.0, -0.4, -99.0):
        quantiser.offset.data.fill_(offset)
        quantiser.clip_()
        y, step, zero, width = quantiser(torch.zeros(1, 1))
        assert (y.item(), width.item()) == (0, 4)
        assert 0 <= zero.item() <= 15 and zero.item() % 1 == 0
        assert zero.item() == pytest.approx(min(max(-offset / 0.3, 0), 15), abs=0.5)
        assert step.item() == pytest.approx(0.3)


def test_weights_of_lsq_plus_are_those_of_lsq():
    assert type(lsq_plus(4, True, True, False, ())).__name__ == "LsqQuantiser"


@pytest.mark.parametrize("bits", [2, 4])
def test_sat_weights(bits):
    w = (samples(6, 2, 3, 3) * 0.4).requires_grad_(True)
    quantiser = SatWeights(bits, True, True)
    found = quantiser.quantise(w)
    most = max(math.tanh(abs(v)) for v in w.flatten().tolist())
    plain = []
    for v in w.flatten().tolist():
        r = math.tanh(v) / (2 * most) + 0.5
        plain.append(2 * min(math.floor(2**bits * r), 2**bits - 1) / 2**bits - 1)
    c = 1 / (math.sqrt(6 * 9) * statistics.pstdev(plain))
    assert found.flatten().tolist() == pytest.approx([c * v for v in plain], rel=1e-4, abs=1e-6)
    integers = found / quantiser.scale(w)
    assert integers.flatten().tolist() == pytest.approx([v * 2 ** (bits - 1) for v in plain])
    found.sum().backward()
    slopes = [c * (1 - math.tanh(v) ** 2) / most for v in w.flatten().tolist()]
    assert w.grad.flatten().tolist() == pytest.approx(slopes, rel=1e-3)


def test_the_calibrated_gradient_of_pact():
    quantiser = CalibratedPact(2, False, False)
    a = 1.5
    quantiser.clip.data.fill_(a)
    x = torch.tensor([-1.0, 0.1, 0.3, 0.7, 1.4, 1.5, 9.0], requires_grad=True)
    behind = samples(7)
    (quantiser.quantise(x) * behind).sum().backward()
    expected = quantiser.decay * a
    for v, g in zip(x.tolist(), behind.tolist(), strict=True):
        r = v / a
        expected += g * (1 if r >= 1 else round(3 * r) / 3 - r if r >= 0 else 0)
    assert quantiser.clip.grad.item() == pytest.approx(expected, rel=1e-4)
    assert x.grad.tolist() == pytest.approx([0, *behind[1:5].tolist(), 0, 0])
