"""Modified gradients against the published expressions, one number after the other."""

from __future__ import annotations

import math

import pytest
import torch

from codesign.errors import BadInput
from codesign.quant.config import GRADIENTS, QuantConfig
from codesign.quant.first_step import act_spread, weight_spread
from codesign.quant.gradients import FACTORS
from codesign.quant.lsq import LsqQuantiser
from codesign.quant.proxies import act_injector, weight_injector
from codesign.quant.u3 import U3Quantiser

STEP, TOP, DELTA = 0.3, 7, 5e-3


def sign(g: float) -> float:
    return math.copysign(1, g) if g else 0.0


PUBLISHED = {
    "ste": lambda g, e: g,
    "ewgs": lambda g, e: g * (1 + DELTA * sign(g) * e),
    "invtanh": lambda g, e: (
        g * (1 + DELTA * sign(g) * math.atanh(1.9 * e) / (2 * math.atanh(0.95)))
    ),
    "tanh": lambda g, e: g * (1 + DELTA * sign(g) * 0.5 * math.tanh(4 * e)),
    "acos": lambda g, e: g * (1 + DELTA * sign(g) * 0.5 * math.sin(math.pi * e)),
    "position": lambda g, e: g * (1 + DELTA * abs(e)),
}


def gradients(name: str, kind: type) -> tuple[torch.Tensor, ...]:
    """x, gradient behind, gradient before and the gradients of the quantiser's parameters."""
    generator = torch.Generator().manual_seed(0)
    x = (torch.randn(300, generator=generator) * 1.2).requires_grad_(True)
    behind = torch.randn(300, generator=generator)
    quantiser = kind(4, True, True)
    quantiser.assign(torch.tensor(STEP), torch.tensor(float(TOP)))
    quantiser.calibrated.fill_(True)
    quantiser.gradient = name
    (quantiser.train_through(x) * behind).sum().backward()
    return x, behind, x.grad, *(p.grad for p in quantiser.own_parameters())


@pytest.mark.parametrize("kind", [U3Quantiser, LsqQuantiser])
@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_expression(name, kind):
    x, behind, found, *own = gradients(name, kind)
    expected = []
    for v, g in zip(x.tolist(), behind.tolist(), strict=True):
        e = v / STEP - round(v / STEP)
        expected.append(PUBLISHED[name](g, e) if abs(v) <= STEP * TOP else 0.0)
    assert torch.allclose(found, torch.tensor(expected), rtol=0, atol=2e-6)
    # 5e-3 of a gradient must be told from none of it.
    assert name == "ste" or (found - behind).abs()[x.abs() < STEP * TOP].max() > 1e-3
    assert all(torch.equal(a, b) for a, b in zip(own, gradients("ste", kind)[3:], strict=True))


@pytest.mark.parametrize(("name", "most"), [("gauss-noise", 5.0), ("uniform-noise", 0.5)])
def test_noise_is_relative_and_has_no_mean(name, most):
    torch.manual_seed(0)
    x, behind, found, *_ = gradients(name, U3Quantiser)
    inside = x.abs() < STEP * TOP
    noise = ((found / behind - 1) / DELTA)[inside]
    assert 0.2 < noise.std() and noise.abs().max() < most * 1.01
    assert abs(noise.mean()) < 4 * noise.std() / inside.sum().sqrt()


def test_every_name_has_its_factor():
    assert set(GRADIENTS) == {"ste", *FACTORS}


def test_names_reach_the_quantisers():
    config = QuantConfig(weight_gradient="ewgs", act_gradient="invtanh", first_grid="spread")
    weights = weight_injector(config, "", (3, 1)).tensor_quant
    acts = act_injector(config, "").tensor_quant
    assert (weights.gradient, acts.gradient) == ("ewgs", "invtanh")
    w = torch.randn(3, 50, generator=torch.Generator().manual_seed(1)) + 0.2
    weights.quantise(w)
    for row, step in zip(w.tolist(), weights.step.flatten().tolist(), strict=True):
        mean = sum(row) / 50
        sigma = math.sqrt(sum((v - mean) ** 2 for v in row) / 50)
        reach = max(abs(mean + 3 * sigma), abs(mean - 3 * sigma))
        assert step == pytest.approx(reach / 7, rel=1e-4)


def test_range_of_activations_is_a_percentile():
    x = torch.arange(1001.0)
    assert act_spread(x, torch.tensor(15.0), False, False, ()).item() * 15 == pytest.approx(999)
    power = weight_spread(x / 1000, torch.tensor(7.0), True, True, ())
    assert math.log2(float(power)) % 1 == 0


def test_a_gradient_that_is_not_known_or_has_no_levels_is_refused():
    with pytest.raises(BadInput, match="'ewgz', which is not one of its choices"):
        QuantConfig(weight_gradient="ewgz")
    with pytest.raises(BadInput, match="'bwn' has none; u3, fixed, u1, u2 do"):
        QuantConfig(weight_bits=1, weight_quantiser="bwn", weight_gradient="ewgs")
