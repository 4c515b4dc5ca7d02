"""Sizes of the layers of any ONNX file, float or quantised."""

from __future__ import annotations

from itertools import permutations
from math import prod
from pathlib import Path
from typing import Any

from codesign.errors import BadInput
from codesign.graph.onnx_node import OnnxNode, read_nodes
from codesign.graph.passes import (
    canonical_domains,
    channels_first,
    fold_constants,
    node_names,
    static_batch,
    static_shapes,
)
from codesign.graph.read import read_onnx
from codesign.memory.sizes import LayerSize, NetworkSize

PASSES = (
    canonical_domains,
    node_names,
    static_batch,
    channels_first,
    static_shapes,
    fold_constants,  # shapes behind Shape-Gather-Concat are known then
)
POOLS = {"MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"}
WEIGHTED = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
NORMS = {"BatchNormalization"}


def size_of_onnx(path: Path) -> NetworkSize:
    """Counts for one frame; weights may be constants or quantised ones. Raises BadInput."""
    model = read_onnx(Path(path))
    try:
        for step in PASSES:
            model = step.run(model)
    except BadInput:
        raise
    except Exception as error:  # onnx, onnxruntime and qonnx raise classes of their own
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise BadInput(f"{path}: its shapes cannot be inferred ({reason})") from error
    reader = _Reader(model)
    found = (reader.layer(node) for node in read_nodes(model.graph))
    layers = tuple(layer for layer in found if layer)
    if not any(layer.weights for layer in layers):
        raise BadInput(f"{path}: holds no layer with weights ({', '.join(sorted(WEIGHTED))})")
    return NetworkSize(Path(path).stem, reader.elements(model.graph.input[0].name), layers)


class _Reader:
    """Finds shapes and the constants behind quantisers."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.constants = {i.name: tuple(i.dims) for i in model.graph.initializer}
        for node in read_nodes(model.graph):
            if node.inputs and all(name in self.constants for name in node.inputs if name):
                shape = self.constants.get(node.inputs[0], ())
                self.constants |= dict.fromkeys(node.outputs, shape)
        # Elements of the constant that is added to a tensor: a layer's bias in a node of its own.
        self.addends = {
            tensor: self.numbers(other)
            for node in read_nodes(model.graph)
            if node.op == "Add"
            for tensor, other in permutations(node.inputs)
            if tensor not in self.constants
        }

    def layer(self, node: OnnxNode) -> LayerSize | None:
        """The layer that this node is, if any."""
        if node.op in POOLS:
            return LayerSize(node.name, "pool", outputs=self.elements(node.outputs[0]))
        if node.op in NORMS:
            gains = self.numbers(node.inputs[1])
            return LayerSize(node.name, "norm", 0, 2 * gains, self.elements(node.outputs[0]))
        if node.op not in WEIGHTED:
            return None
        shapes = [self.constant(name) for name in node.inputs[:2]]
        shape = next((s for s in shapes if len(s) > 1), None)
        return self._weighted(node, shape) if shape else None

    def _weighted(self, node: OnnxNode, shape: tuple[int, ...]) -> LayerSize:
        biases = sum(map(self.numbers, node.inputs[2:])) + self.addends.get(node.outputs[0], 0)
        weights = prod(shape)
        outputs, macs = self.elements(node.outputs[0]), weights * self._positions(node)
        return LayerSize(node.name, "weights", weights, biases, outputs, macs)

    def _positions(self, node: OnnxNode) -> int:
        """How often each weight is used in a frame: pixels, or rows of a matrix product."""
        shape = self.shape(node.inputs[0] if node.op == "ConvTranspose" else node.outputs[0])
        channels_last = not node.op.startswith("Conv")
        return prod(shape[1:-1]) if channels_last else prod(shape[2:])

    def elements(self, tensor: str) -> int:
        """Elements of a tensor without its batch axis."""
        return prod(self.shape(tensor)[1:])

    def shape(self, tensor: str) -> tuple[int, ...]:
        """Shape with the batch axis; raises BadInput where ONNX's inference does not find it."""
        found = tuple(self.model.get_tensor_shape(tensor) or ())
        if not found or min(found) < 1:
            raise BadInput(
                f"{self.model.graph.name}: the shape of {tensor} must be known, found {found}; "
                "export the network with fixed sizes",
                tensor=tensor,
                found=found,
            )
        return found

    def numbers(self, tensor: str) -> int:
        """Elements of a constant, 0 where the tensor is none."""
        return prod(self.constants[tensor]) if tensor in self.constants else 0

    def constant(self, tensor: str) -> tuple[int, ...]:
        """Shape of the constant behind quantisers and reshapes; () where it is no constant."""
        return self.constants.get(tensor, ())
