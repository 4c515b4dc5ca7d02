"""LSQ, bipolar and pixel quantisers against their papers and against qonnx's own functions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from qonnx.custom_op.general.bipolar_quant import binary_quant
from qonnx.custom_op.general.quant import quant

from codesign.errors import BadInput
from codesign.quant.bipolar import BipolarQuantiser
from codesign.quant.lsq import LsqQuantiser
from codesign.quant.pixels import PixelQuantiser
from codesign.quant.quantiser import Quantiser
from codesign.quant.u3 import U3Quantiser
from tests.quant.draws import samples


@pytest.mark.parametrize(("is_weight", "low", "high"), [(True, -7, 7), (False, 0, 15)])
def test_lsq_gradients_are_the_published_ones(is_weight, low, high):
    quantiser = LsqQuantiser(4, is_weight, signed=is_weight)
    quantiser.step.data.fill_(0.11)
    quantiser.calibrated.fill_(True)
    v = (samples(6, 20) * 1.5).requires_grad_(True)
    quantiser.quantise(v).sum().backward()
    d_step, d_v = 0.0, []
    for ratio in (v.detach().double() / np.float32(0.11)).flatten().tolist():
        inside = low < ratio < high
        d_v.append(float(inside))
        d_step += round(ratio) - ratio if inside else (low if ratio <= low else high)
    count = 120 if is_weight else 20
    assert v.grad.flatten().tolist() == d_v
    assert quantiser.step.grad.item() == pytest.approx(d_step / math.sqrt(count * high), rel=1e-3)


def test_lsq_keeps_its_width_and_can_be_given_another():
    quantiser = LsqQuantiser(3, is_weight=True, signed=True)
    x = samples(500)
    assert len(quantiser.quantise(x * 9).unique()) == 7
    quantiser.set_bits(2)
    assert quantiser.quantise(x * 9).unique().numel() == 3
    assert quantiser.integer_bits() == 2
    restored = LsqQuantiser(3, is_weight=True, signed=True)
    restored.load_state_dict(quantiser.state_dict())
    assert restored.integer_bits() == 2


@pytest.mark.parametrize("shape", [(), (4, 1)])
def test_bipolar_weights_are_sign_times_mean(shape):
    quantiser = BipolarQuantiser(1, True, True, shape=shape)
    w = samples(4, 9).requires_grad_(True)
    y = quantiser.quantise(w)
    mean = w.abs().mean(1, keepdim=True) if shape else w.abs().mean()
    assert torch.allclose(y, w.sign() * mean)
    y.sum().backward()
    inside = (w.abs() <= 1).float()
    assert torch.allclose(w.grad, inside * mean)


def test_bipolar_activation_of_zero_is_plus_one():
    quantiser = BipolarQuantiser(1, False, True)
    x = torch.tensor([0.0, -0.0, -1e-9, 3.0])
    assert quantiser.quantise(x).tolist() == [1, 1, -1, 1]
    with pytest.raises(BadInput, match="has 1 bit"):
        quantiser.set_bits(2)


@pytest.mark.parametrize(("input_max", "bits"), [(255, 8), (16, 5), (1, 1)])
def test_raw_integers_come_back_exactly(input_max, bits):
    quantiser = PixelQuantiser(8, input_max)
    integers = np.arange(input_max + 1, dtype=np.float32)
    scale = np.float32(1 / input_max)
    x = integers * scale
    y, found_scale, zero, width = quantiser(torch.from_numpy(x))
    assert found_scale.numpy() == scale
    assert (zero, width) == (0, bits)
    assert np.array_equal(y.numpy(), x)
    assert np.array_equal(np.rint(y.numpy() / scale), integers)


def test_fewer_input_bits_than_the_data_needs_give_a_coarser_grid():
    quantiser = PixelQuantiser(4, 255)
    x = torch.arange(256) / 255
    y = quantiser.quantise(x)
    assert len(y.unique()) == 16
    assert (y - x).abs().max() <= 0.5 / 15 + 1e-6


ALL = [
    U3Quantiser(3, True, True),
    U3Quantiser(5, False, False),
    U3Quantiser(4, False, True),
    U3Quantiser(1, False, False),
    U3Quantiser(6, False, False, as_power=True),
    LsqQuantiser(8, False, False),
    LsqQuantiser(2, True, True),
    PixelQuantiser(8, 16),
]


@pytest.mark.parametrize("quantiser", ALL, ids=lambda q: f"{type(q).__name__}{q.integer_bits()}")
def test_values_equal_qonnx_quant_bit_for_bit(quantiser: Quantiser):
    x = samples(40, 50, seed=7)
    quantiser.quantise(x)
    y, scale, zero, bits = (value.detach().numpy() for value in quantiser(x))
    expected = quant(x.numpy(), scale, zero, bits, quantiser.signed, quantiser.signed, "ROUND")
    assert np.array_equal(y, expected)


def test_bipolar_equals_qonnx():
    quantiser = BipolarQuantiser(1, True, True)
    x = samples(40, 50)
    y, scale, _, _ = quantiser(x)
    assert np.array_equal(y.numpy(), binary_quant(x.numpy(), scale.numpy()))
