"""A2Q+: no input makes a sum that needs more than the bits it was given."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from codesign.errors import BadInput
from codesign.graph.load import import_model
from codesign.models.registry import build_model
from codesign.quant import LayerBits, QuantConfig
from codesign.quant.a2q import A2qQuantiser, largest_norm
from codesign.train.export import export_qonnx
from tests.quant.draws import samples
from tests.train.noise import learn


def integers(quantiser: A2qQuantiser, w: torch.Tensor) -> np.ndarray:
    y = quantiser.quantise(w).detach()
    found = (y / quantiser.scale(w)).round()
    assert torch.equal(found * quantiser.scale(w), y)
    return found.numpy().astype(int)


def test_every_input_and_every_partial_sum_stays_within_its_bits():
    sum_bits, input_bits = 6, 2
    quantiser = A2qQuantiser(4, True, True, shape=(5, 1))
    quantiser.bound(sum_bits, input_bits)
    w = samples(5, 6) * torch.tensor([[0.1], [0.5], [1.0], [3.0], [9.0]])
    rows = integers(quantiser, w)
    assert np.abs(rows).sum(1).max() <= (2**6 - 2) / 3
    assert np.abs(rows).sum(1).max() > 10, "the bound should be used"
    for x in itertools.product(range(4), repeat=6):
        partial = np.cumsum(rows * np.array(x), axis=1)
        assert partial.max() <= 31 and partial.min() >= -32


@pytest.mark.parametrize("shape", [(), (16, 1, 1, 1)])
@pytest.mark.parametrize(("sum_bits", "input_bits"), [(8, 4), (12, 8), (14, 4), (20, 8)])
def test_the_worst_input_of_large_filters(shape, sum_bits, input_bits):
    quantiser = A2qQuantiser(4, True, True, shape=shape)
    quantiser.bound(sum_bits, input_bits)
    rows = integers(quantiser, samples(16, 32, 3, 3, seed=3) + 0.3).reshape(16, -1)
    top = 2**input_bits - 1
    # A sum is linear: it is largest with the top input at positive weights and 0 at the others.
    assert (np.maximum(rows, 0).sum(1) * top).max() <= 2 ** (sum_bits - 1) - 1
    assert (np.minimum(rows, 0).sum(1) * top).min() >= -(2 ** (sum_bits - 1))


def test_gradients_by_autograd_of_the_formula():
    w = samples(4, 30).requires_grad_(True)
    behind = samples(4, 30, seed=1)
    quantiser = A2qQuantiser(4, True, True, shape=(4, 1))
    quantiser.bound(9, 4)
    quantiser.calibrated.fill_(True)
    quantiser.step.data.copy_(torch.tensor([[0.05], [0.3], [0.5], [2.0]]))
    (quantiser.quantise(w) * behind).sum().backward()

    v = w.detach().double().requires_grad_(True)
    s = quantiser.step.detach().double().requires_grad_(True)
    outputs, capped = [], []
    for row, step in zip(v, s, strict=True):
        u = (row - row.mean()) / step
        norm = u.abs().sum()
        limit = (2**9 - 2) / (2**4 - 1) * (1 - 1e-4)
        capped.append(bool(norm > limit))
        u = u * limit / norm if norm > limit else u
        u = u.clamp(-7, 7)
        outputs.append((u + (u.trunc() - u).detach()) * step)
    assert capped == [True, True, True, False]
    (torch.stack(outputs) * behind).sum().backward()
    assert torch.allclose(w.grad.double(), v.grad, atol=1e-4)
    assert torch.allclose(quantiser.step.grad.double(), s.grad / (120 * 7) ** 0.5, atol=1e-4)


def test_accumulators_of_the_imported_network_have_at_most_these_bits(tmp_path):
    torch.manual_seed(0)
    config = QuantConfig(4, 4, weight_quantiser="a2q+", act_quantiser="fixed", accumulator_bits=11)
    model = build_model("cnv", (1, 8, 8), 4, config, stages=[[8], [12]], hidden=[16])
    x, y = torch.randint(0, 256, (32, 1, 8, 8)) / 255, torch.arange(32) % 4
    learn(model, x, y, 8, lr=0.02)
    graph = import_model(export_qonnx(model, (1, 8, 8), tmp_path / "m.onnx", x[:2]).path)
    sums = [n.block.acc.bits for n in graph.nodes if hasattr(n.block, "acc")]
    assert len(sums) == 4 and max(sums) <= 11
    assert max(sums) >= 9, "the bound should be used"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"quantiser": "fixed", "accumulator_bits": 12}, "needs weight_quantiser = a2q"),
        ({"weight_quantiser": "a2q+", "act_quantiser": "fixed"}, "not set and must be 4 to 32"),
        ({"weight_quantiser": "a2q+", "act_quantiser": "fixed", "accumulator_bits": 3}, "is 3 and"),
        ({"weight_quantiser": "a2q+", "accumulator_bits": 12}, "which 'u3' has not; fixed, "),
        (
            {
                "weight_quantiser": "a2q+",
                "act_quantiser": "fixed",
                "accumulator_bits": 12,
                "layers": {"fc1": LayerBits(weight=1)},
            },
            "one has 1",
        ),
    ],
)
def test_bounds_that_cannot_be_kept_are_refused(fields, words):
    with pytest.raises(BadInput, match=words):
        QuantConfig(**fields)


def test_the_published_bound():
    assert largest_norm(16, 8) == 65534 / 255
