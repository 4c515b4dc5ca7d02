"""Which methods leave a weight of 0 a 0, as pruning needs it: tried, not believed."""

from __future__ import annotations

import pytest
import torch

from codesign.quant.methods import METHODS


def quantised(method, bits: int, power_of_two: bool, shape: tuple[int, ...]) -> torch.Tensor:
    """Values of (8, 40) weights, half of them 0 and the mean not, in evaluation."""
    generator = torch.Generator().manual_seed(0)
    weight = 0.3 * torch.randn(8, 40, generator=generator) + 0.2
    weight[:, ::2] = 0
    quantiser = method.make(bits, True, True, power_of_two, shape)
    if method.bounds_sums:
        quantiser.bound(16, 4)
    quantiser.train().quantise(torch.nn.Parameter(weight.clone()))
    return quantiser.eval().quantise(weight)[:, ::2]


@pytest.mark.parametrize("method", [m for m in METHODS if m.weight_bits], ids=lambda m: m.name)
def test_zero_stays_zero_where_the_list_says_so(method):
    cases = [(b, p, s) for b in method.weight_bits for p in (False, True) for s in ((), (8, 1))]
    kept = [bool((quantised(method, *case) == 0).all()) for case in cases]
    assert all(kept) if method.keeps_zero else not all(kept)
