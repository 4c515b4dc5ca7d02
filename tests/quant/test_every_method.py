"""What every quantiser of the list keeps to: devices of its tensors, steps that are powers of two."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from codesign.quant import QuantConfig
from codesign.quant.methods import METHODS, Method
from codesign.quant.proxies import act_injector, weight_injector
from codesign.quant.quantiser import Quantiser

CASES = [
    (method, is_weight)
    for method in METHODS
    for is_weight in (True, False)
    if (method.weight_bits if is_weight else method.act_bits)
]


def made(method: Method, is_weight: bool, as_power: bool, shape: tuple[int, ...]) -> Quantiser:
    """At the widest of its widths."""
    config = QuantConfig(
        weight_bits=method.weight_bits[-1] if method.weight_bits else 4,
        act_bits=method.act_bits[-1] if method.act_bits else 4,
        weight_quantiser=method.name if method.weight_bits else "fixed",
        act_quantiser=method.name if method.act_bits else "fixed",
        power_of_two_step=as_power,
        accumulator_bits=16 if method.bounds_sums else None,
    )
    found = weight_injector(config, "", shape) if is_weight else act_injector(config, "")
    return found.tensor_quant


def walk(quantiser: Quantiser, legal: range) -> None:
    """Training, evaluation, and all that budgets, projection and export ask."""
    x = nn.Parameter(torch.randn(6, 10, device="cpu"))
    for _ in range(3):
        quantiser.train().train_through(x if quantiser.is_weight else x * 1).sum().backward()
        quantiser.clip_()
    quantiser.eval()(x)
    assert quantiser.integer_bits() >= 1
    quantiser.staircase()
    if len(legal) > 1:
        quantiser.set_bits(max(2, legal[0]))
        quantiser.recalibrate()
        quantiser.train().train_through(x)
    quantiser.freeze()


@pytest.mark.parametrize("as_power", [False, True])
@pytest.mark.parametrize(("method", "is_weight"), CASES, ids=lambda v: getattr(v, "name", v))
def test_tensors_are_made_where_the_network_lies(method, is_weight, as_power):
    """Without a GPU: in a block of `torch.device("meta")` a tensor that names no device has no
    values, so that whatever meets it fails, as one on the processor fails beside one on a GPU."""
    legal = method.weight_bits if is_weight else method.act_bits
    for shape in [(), (6, 1)] if is_weight else [()]:
        quantiser = made(method, is_weight, as_power, shape)
        quantiser.is_weight = is_weight
        with torch.device("meta"):
            walk(quantiser, () if method.name == "float" else legal)


# Their steps follow from their formulas, as docs/quantisers.md says.
OWN_STEP = {("dorefa", True), ("dorefa", False), ("sat", True)}


@pytest.mark.parametrize(("method", "is_weight"), CASES, ids=lambda v: getattr(v, "name", v))
def test_steps_are_powers_of_two_where_that_is_asked_for(method, is_weight):
    torch.manual_seed(0)
    quantiser = made(method, is_weight, True, ())
    x = nn.Parameter(torch.randn(6, 10))
    quantiser.train().train_through(x if is_weight else x * 1)
    exponent = torch.log2(quantiser.eval().scale(x.detach()).detach())
    is_power = torch.equal(exponent, exponent.round())
    assert is_power == ((method.name, is_weight) not in OWN_STEP)
