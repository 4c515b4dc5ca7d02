"""Memory of training on a device: in integers alone, and by blocks with losses of their own."""

from __future__ import annotations

from itertools import pairwise

import msgspec

from codesign.memory.sizes import BITS_PER_BYTE, LayerSize, NetworkSize

FLOAT_BYTES = 4
GRADIENT_BYTES = 4
ADAM_MOMENTS = 2


class TrainingNeed(msgspec.Struct, frozen=True):
    """Bytes while training: what does not depend on the batch, and what every frame adds."""

    parameter_bytes: float
    optimiser_bytes: float
    gradient_bytes: float
    frame_bytes: float

    @property
    def fixed_bytes(self) -> float:
        """Parameters, state of the optimiser, gradients."""
        return self.parameter_bytes + self.optimiser_bytes + self.gradient_bytes

    def batch_bytes(self, frames: int) -> float:
        """Training with batches of `frames`."""
        return self.fixed_bytes + frames * self.frame_bytes


def niti_need(size: NetworkSize, weight_bits: float = 8) -> TrainingNeed:
    """Integer-only training (NITI) of a chain of layers, its norms and biases left out.

    Weights take `weight_bits` bits, there is no optimiser, and a layer's int32 gradient is used up
    before the next one is made: 4 bytes for each weight of the largest layer. A frame keeps one byte
    for each input of a layer with weights (int8; two for the first, pixels less their mean), for each
    ReLU between two of them (its mask) and for each output of a pool (the place of its maximum).
    """
    chain = [layer for layer in size.layers if layer.kind != "norm"]
    outputs = [size.inputs, *(layer.outputs for layer in chain)]
    read = [given for given, layer in zip(outputs, chain, strict=False) if layer.weights]
    places = sum(layer.outputs for layer in chain if layer.kind == "pool")
    largest = max((layer.weights for layer in chain), default=0)
    return TrainingNeed(
        parameter_bytes=size.weights * weight_bits / BITS_PER_BYTE,
        optimiser_bytes=0.0,
        gradient_bytes=largest * GRADIENT_BYTES,
        frame_bytes=sum(read[:1]) + sum(read) + sum(size.hidden) + places,
    )


def local_need(size: NetworkSize, head_parameters: int = 0, act_bits: float = 32) -> TrainingNeed:
    """Block-local losses with Adam: float parameters of network and heads, two moments, gradients.

    A block is a layer with weights, the norms behind it and the pools before it. A frame keeps the
    activations of one block at a time, its input and its outputs but those of norms, at `act_bits`:
    the largest block counts. With one loss at the end it would be all blocks (`NetworkSize.stored`).
    """
    parameters = (size.parameters + head_parameters) * FLOAT_BYTES
    return TrainingNeed(
        parameter_bytes=parameters,
        optimiser_bytes=ADAM_MOMENTS * parameters,
        gradient_bytes=parameters,
        frame_bytes=max(block_elements(size), default=0) * act_bits / BITS_PER_BYTE,
    )


def block_elements(size: NetworkSize) -> tuple[int, ...]:
    """Activations of each block for one frame: what enters it and what its layers give."""
    blocks: list[list[LayerSize]] = [[]]
    for layer in size.layers:
        if layer.kind != "norm" and any(member.weights for member in blocks[-1]):
            blocks.append([])
        blocks[-1].append(layer)
    made = [[layer.outputs for layer in block if layer.kind != "norm"] for block in blocks]
    entering = [size.inputs, *(outputs[-1] for outputs, _ in pairwise(made))]
    return tuple(given + sum(outputs) for given, outputs in zip(entering, made, strict=True))
