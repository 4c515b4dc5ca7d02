"""Width against precision: how wide a ResNet-20 fits a memory at b bits (the QAT benchmark).

Mem(k, b) = f(k) * b + g(k) * max(b, 4) bits: all parameters, and the largest activation, which is
never narrower than 4 bits; k is the channel count of the first stage (16 in the original network).
"""

from __future__ import annotations

FLOAT_BITS = 32
LEAST_ACT_BITS = 4
ORIGINAL_WIDTH = 16


def parameters(k: int) -> int:
    """f(k): weights, norms and the bias of a ResNet-20 with k channels and option-A shortcuts."""
    return 1044 * k**2 + 153 * k + 10


def largest_activation(k: int) -> int:
    """g(k): elements of a 32x32 picture with k channels."""
    return 1024 * k


def memory_bits(k: int, bits: int) -> int:
    """Mem(k, b) in bits."""
    return parameters(k) * bits + largest_activation(k) * max(bits, LEAST_ACT_BITS)


def widest(bits: int, budget_bits: float) -> int:
    """k(b, M): the largest width whose memory is at most `budget_bits`; 0 if none is."""
    k = 0
    while memory_bits(k + 1, bits) <= budget_bits:
        k += 1
    return k


def original_bits() -> int:
    """M0: the memory of the original network in float32."""
    return memory_bits(ORIGINAL_WIDTH, FLOAT_BITS)
