"""What a network stores and moves: weights, other parameters, and elements of each output."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

BITS_PER_BYTE = 8


class LayerSize(msgspec.Struct, frozen=True):
    """Counts of one layer for one frame; `macs` are products with a weight.

    `kind` is "weights" (convolution, matrix), "norm" or "pool"; `parameters` are those beside the
    weights: biases, or the gain and offset of a norm.
    """

    name: str
    kind: str
    weights: int = 0
    parameters: int = 0
    outputs: int = 0
    macs: int = 0


class NetworkSize(msgspec.Struct, frozen=True):
    """The layers in their order, and the elements of one input frame."""

    name: str
    inputs: int
    layers: tuple[LayerSize, ...]

    @property
    def weighted(self) -> tuple[LayerSize, ...]:
        """Layers with a weight tensor, in order."""
        return tuple(layer for layer in self.layers if layer.kind == "weights")

    @property
    def weights(self) -> int:
        """Weights alone: no biases and norms."""
        return sum(layer.weights for layer in self.layers)

    @property
    def parameters(self) -> int:
        """Everything that is learned: weights, biases, gains and offsets of norms."""
        return self.weights + sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Products with a weight in one frame."""
        return sum(layer.macs for layer in self.layers)

    @property
    def hidden(self) -> tuple[int, ...]:
        """Elements of the outputs of weighted layers that another layer reads."""
        return tuple(layer.outputs for layer in self.weighted[:-1])

    @property
    def stored(self) -> int:
        """Elements that training keeps: the input and all outputs but those of norms."""
        outputs = (layer.outputs for layer in self.layers if layer.kind != "norm")
        return self.inputs + sum(outputs)


def weight_bytes(size: NetworkSize, bits: float) -> float:
    """Bytes of all weights at one width."""
    return size.weights * bits / BITS_PER_BYTE


def activation_bytes(elements: Iterable[int], bits: float) -> float:
    """Bytes of these activations at one width."""
    return sum(elements) * bits / BITS_PER_BYTE
