"""Memory of inference and of training."""

from __future__ import annotations

import msgspec

from codesign.memory.sizes import BITS_PER_BYTE, NetworkSize, activation_bytes

FLOAT_BITS = 32


class MemoryNeed(msgspec.Struct, frozen=True):
    """Bytes at one pair of widths.

    Inference holds all parameters and the largest hidden activation. Training holds the float
    parameters and one momentum of each, and for each frame of a batch every activation.
    """

    weight_bits: float
    act_bits: float
    parameter_bytes: float
    activation_bytes: float
    training_bytes: float
    frame_bytes: float

    @property
    def inference_bytes(self) -> float:
        """Parameters and the largest activation."""
        return self.parameter_bytes + self.activation_bytes

    def batch_bytes(self, frames: int) -> float:
        """Training with batches of `frames`."""
        return self.training_bytes + frames * self.frame_bytes


def memory_need(size: NetworkSize, weight_bits: float, act_bits: float) -> MemoryNeed:
    """Bytes of `size` with all parameters at `weight_bits` and activations at `act_bits`."""
    largest = max(size.hidden, default=0)
    return MemoryNeed(
        weight_bits=weight_bits,
        act_bits=act_bits,
        parameter_bytes=size.parameters * weight_bits / BITS_PER_BYTE,
        activation_bytes=activation_bytes((largest,), act_bits),
        training_bytes=2 * size.parameters * FLOAT_BITS / BITS_PER_BYTE,
        frame_bytes=activation_bytes((size.stored,), act_bits),
    )
