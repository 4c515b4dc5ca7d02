"""Cross-entropy in integers: powers of two in place of exponentials (NITI, Wang et al., 2022)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from codesign.ondevice.rounding import clipped, shift_stochastic

LOG2_E = 47274  # log2(e) = 47274 / 2^15
LOG2_E_SHIFT = 15
RANGE_BITS = 10
SUM_BITS = 11
ERROR_SHIFT = 4
SERIES_EXPONENT = -7  # up to which all logits are below 1
LEAST_EXPONENT = -24  # so that 2^11 o fits int64


def output_error(logits: Tensor, exponent: int, target: Tensor, noise: Tensor) -> Tensor:
    """Error of each logit, int8 (batch, classes): about 2^7 (softmax - onehot).

    `logits` are int8 (batch, classes) times 2^exponent, `target` classes int64 (batch,), `noise`
    random integers 0..15 of the shape of the logits. z = logits log2(e) is moved so that its
    maximum is 10 and negative values become 0; then o = 2^z - 1, 2^11 o / sum(o) less the sum of the
    row at the target, and a stochastic shift by 4. Logits below 1 (exponent <= -7) all have the same z;
    there o = 2^(1 - 2 exponent) (1 + x + x^2 / 2) with x the logit, the series of e^x.
    """
    o = _series(logits, exponent) if exponent <= SERIES_EXPONENT else _powers(logits, exponent)
    grad = (o << SUM_BITS) // o.sum(1, keepdim=True)
    grad -= functional.one_hot(target, logits.shape[1]) * grad.sum(1, keepdim=True)
    return clipped(shift_stochastic(grad, ERROR_SHIFT, noise))


def _powers(logits: Tensor, exponent: int) -> Tensor:
    """2^z - 1, at most 2^10 - 1 in each row, int64."""
    z = _exponents(logits, exponent)
    z = (z - z.amax(1, keepdim=True) + RANGE_BITS).clamp(min=0)
    return (1 << z) - 1


def _series(logits: Tensor, exponent: int) -> Tensor:
    """2^(1 - 2e) + 2^(1 - e) s + s^2 for logits s 2^e, int64."""
    s = logits.to(torch.int64) >> max(0, LEAST_EXPONENT - exponent)
    bits = -max(exponent, LEAST_EXPONENT)
    return (1 << (1 + 2 * bits)) + (s << (1 + bits)) + s * s


def _exponents(logits: Tensor, exponent: int) -> Tensor:
    """floor(logits 2^exponent log2 e), int64."""
    z = logits.to(torch.int64) * LOG2_E
    shift = exponent - LOG2_E_SHIFT
    return z << min(shift, RANGE_BITS) if shift > 0 else z >> min(-shift, 62)
