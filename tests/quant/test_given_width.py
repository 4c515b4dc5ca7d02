"""BNN, TWN, QNN, DoReFa and PACT against their papers, written out in plain Python."""

from __future__ import annotations

import math

import pytest
import torch

from codesign.errors import BadInput
from codesign.models.quantise import quantise
from codesign.quant import QuantConfig
from codesign.quant.bnn import BnnQuantiser
from codesign.quant.dorefa import DorefaQuantiser
from codesign.quant.pact import PactQuantiser
from codesign.quant.qnn import QnnQuantiser
from codesign.quant.twn import TwnQuantiser
from tests.quant.draws import samples


@pytest.mark.parametrize("shape", [(), (3, 1)])
def test_twn_keeps_what_is_over_its_threshold(shape):
    w = samples(3, 40)
    found = TwnQuantiser(2, True, True, False, shape).quantise(w)
    for rows in w.split(1) if shape else [w]:
        values = rows.flatten().tolist()
        delta = 0.7 * sum(map(abs, values)) / len(values)
        kept = [abs(v) for v in values if abs(v) > delta]
        alpha = sum(kept) / len(kept)
        expected = [math.copysign(alpha, v) * (abs(v) > delta) for v in values]
        at = 0 if rows is w else int((w == rows).all(1).nonzero()[0])
        part = found if rows is w else found[at]
        assert part.flatten().tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("shape", [(), (3, 1)])
def test_the_whole_gradient_passes_twn(shape):
    w, behind = samples(3, 40).requires_grad_(True), samples(3, 40, seed=1)
    (TwnQuantiser(2, True, True, False, shape).quantise(w) * behind).sum().backward()
    assert torch.equal(w.grad, behind)


def test_twn_of_its_own_result_is_the_same():
    quantiser = TwnQuantiser(2, True, True)
    once = quantiser.quantise(samples(50))
    assert torch.allclose(quantiser.quantise(once), once)


@pytest.mark.parametrize("bits", [2, 3, 5])
def test_dorefa_weights(bits):
    w = samples(200).requires_grad_(True)
    found = DorefaQuantiser(bits, True, True).quantise(w)
    top, most = 2**bits - 1, max(abs(math.tanh(v)) for v in w.tolist())
    shares = [math.tanh(v) / (2 * most) + 0.5 for v in w.tolist()]
    expected = [2 * round(s * top) / top - 1 for s in shares]
    assert found.tolist() == pytest.approx(expected, abs=1e-6)
    found.sum().backward()
    slopes = [(1 - math.tanh(v) ** 2) / most for v in w.tolist()]
    assert w.grad.tolist() == pytest.approx(slopes, rel=1e-4)


@pytest.mark.parametrize("bits", [1, 3])
def test_dorefa_activations(bits):
    x = torch.tensor([-0.2, 0.0, 0.3, 0.7, 1.0, 1.4], requires_grad=True)
    found = DorefaQuantiser(bits, False, False).quantise(x)
    top = 2**bits - 1
    expected = [round(min(max(v, 0), 1) * top) / top for v in x.tolist()]
    assert found.tolist() == pytest.approx(expected)
    found.sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 1, 0]


def test_pact():
    quantiser = PactQuantiser(3, False, False)
    quantiser.clip.data.fill_(1.4)
    x = torch.tensor([-0.5, 0.0, 0.31, 1.39, 1.4, 2.0], requires_grad=True)
    found = quantiser.quantise(x)
    expected = [round(min(max(v, 0), 1.4) * 7 / 1.4) * 0.2 for v in x.tolist()]
    assert found.tolist() == pytest.approx(expected, abs=1e-6)
    found.sum().backward()
    assert x.grad.tolist() == [0, 1, 1, 1, 0, 0]
    assert quantiser.clip.grad.item() == pytest.approx(2 + quantiser.decay * 1.4)


def test_qnn_saturates_and_bounds_its_latent_weights():
    quantiser = QnnQuantiser(3, True, True)
    w = torch.nn.Parameter(torch.tensor([-3.0, -0.4, 0.2, 1.2]))
    found = quantiser.quantise(w)
    assert w.tolist() == pytest.approx([-1, -0.4, 0.2, 1])
    assert found.tolist() == pytest.approx([-1, -1 / 3, 1 / 3, 1])
    x = torch.tensor([-1.2, 0.5, 1.2], requires_grad=True)
    quantiser.quantise(x * 1).sum().backward()
    assert x.grad.tolist() == [0, 1, 0]


def test_qnn_stretches_small_latent_weights_once():
    quantiser = QnnQuantiser(3, True, True)
    w = torch.nn.Parameter(torch.tensor([-0.08, 0.02, 0.05]))
    assert quantiser.eval().quantise(w).tolist() == [0, 0, 0]
    assert quantiser.train().quantise(w).tolist() == pytest.approx([-1, 1 / 3, 2 / 3])
    assert w.tolist() == pytest.approx([-1, 0.25, 0.625])
    quantiser.quantise(w).sum().backward()
    assert w.grad.tolist() == pytest.approx([(1 / 0.08) ** 2] * 3)
    with torch.no_grad():
        w.mul_(0.1)
    assert quantiser.quantise(w).tolist() == [0, 0, 0]


def test_latent_weights_of_a_layer_are_found():
    layer = quantise(torch.nn.Sequential(torch.nn.Linear(4, 3)), QuantConfig(quantiser="qnn"), (4,))
    largest = layer[0].weight.abs().max().item()
    layer.train()(torch.rand(2, 4))
    assert largest < 1 == pytest.approx(layer[0].weight.abs().max().item())
    with torch.no_grad():
        layer[0].weight.mul_(5)
    layer(torch.rand(2, 4))
    assert layer[0].weight.abs().max().item() == 1


def test_bnn_has_no_scale():
    w = samples(20)
    found = BnnQuantiser(1, True, True).quantise(w)
    assert found.tolist() == [math.copysign(1, v) for v in w.tolist()]


def test_bnn_passes_gradients_where_its_input_is_within_one():
    x = torch.tensor([-1.5, -1.0, -0.3, 0.0, 0.9, 1.0, 1.001], requires_grad=True)
    behind = samples(7)
    found = BnnQuantiser(1, False, True).quantise(x)
    assert found.tolist() == [-1, -1, -1, 1, 1, 1, 1]
    (found * behind).sum().backward()
    assert x.grad.tolist() == [0, *behind[1:6].tolist(), 0]


def test_latent_weights_of_bnn_are_bounded_and_learn_at_the_bounds():
    w, behind = torch.nn.Parameter(torch.tensor([-2.0, -0.4, 1.0, 3.0])), samples(4)
    (BnnQuantiser(1, True, True).quantise(w) * behind).sum().backward()
    assert w.tolist() == pytest.approx([-1, -0.4, 1, 1])
    assert w.grad.tolist() == behind.tolist()


@pytest.mark.parametrize(("kind", "bits"), [(TwnQuantiser, 3), (BnnQuantiser, 2)])
def test_other_widths_are_refused(kind, bits):
    with pytest.raises(BadInput, match="bits, not"):
        kind(bits, True, True)
