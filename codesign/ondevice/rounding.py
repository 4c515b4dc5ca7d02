"""Shifts of integers to fewer bits, with the roundings of integer training.

Wang et al., "NITI: Training Integer Neural Networks Using Integer-Only Arithmetic", IEEE TPDS 2022.
"""

from __future__ import annotations

import torch
from torch import Tensor

INT8_BITS = 7  # of magnitude, beside the sign


def magnitude_bits(x: Tensor) -> int:
    """n = ceil(log2 max|x|) of an integer tensor; 0 for one without anything above 1."""
    largest = int(x.abs().max()) if x.numel() else 0
    return max(0, largest - 1).bit_length()


def clipped(x: Tensor, bits: int = INT8_BITS) -> Tensor:
    """`x` within +-(2^bits - 1) as int8."""
    top = 2**bits - 1
    return x.clamp(-top, top).to(torch.int8)


def shift_half_up(x: Tensor, shift: int) -> Tensor:
    """x / 2^shift of int64 `x`, halves away from zero: QONNX's rounding mode HALF_UP."""
    half = (1 << shift) >> 1
    return x.sign() * ((x.abs() + half) >> shift)


def shift_pseudo_stochastic(x: Tensor, shift: int) -> Tensor:
    """x / 2^shift towards zero, plus sgn(x) where the discarded bits say so.

    Their upper half q is the probability and their lower half r (doubled where the shift is odd, so
    that both have as many bits) the random number: sgn(x) is added where q > r.
    """
    size, low = x.abs(), shift // 2
    discarded = size & ((1 << shift) - 1)
    q, r = discarded >> low, discarded & ((1 << low) - 1)
    return x.sign() * ((size >> shift) + (q > (r << (shift % 2))))


def shift_stochastic(x: Tensor, shift: int, noise: Tensor) -> Tensor:
    """x / 2^shift towards zero, plus sgn(x) where the discarded bits exceed `noise`.

    `noise` holds integers drawn evenly from 0..2^shift - 1: the result is x / 2^shift on average.
    """
    size = x.abs()
    return x.sign() * ((size >> shift) + ((size & ((1 << shift) - 1)) > noise))


def noise_like(x: Tensor, shift: int, generator: torch.Generator) -> Tensor:
    """Random integers 0..2^shift - 1 for `shift_stochastic`."""
    return torch.randint(0, 1 << shift, x.shape, generator=generator).to(x.device)
