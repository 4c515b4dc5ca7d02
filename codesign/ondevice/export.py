"""An integer network as QONNX: Quant nodes with power-of-two scales, halves rounded up."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from codesign.ondevice.layers import Convolution, Dense, Flatten, Layer, MaxPool, Relu, Weighted
from codesign.ondevice.network import IntegerNetwork
from codesign.ondevice.rounding import INT8_BITS

OPSET = 13
QONNX = "qonnx.custom_op.general"


@dataclass
class Graph:
    """Nodes and constants so far; `tensor` is the last result, worth integers times 2^exponent."""

    tensor: str
    exponent: int
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)

    def add(self, op: str, name: str, *inputs: str, domain: str = "", **attributes: object) -> None:
        """Append a node that reads `inputs`; its output becomes `tensor`."""
        self.tensor = f"{name}_out"
        node = helper.make_node(op, [*inputs], [self.tensor], name, domain=domain, **attributes)
        self.nodes.append(node)

    def constant(self, name: str, values: np.ndarray | float) -> str:
        """A float32 initialiser."""
        array = np.asarray(values, np.float32)
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def quant(
        self, name: str, source: str, bits: int, signed: bool, mode: str = "ROUND", zero: int = 0
    ) -> None:
        """A Quant node at 2^exponent with the zero point `zero`; signed ranges are narrow."""
        numbers = {"scale": math.ldexp(1.0, self.exponent), "zero": zero, "bits": bits}
        inputs = [self.constant(f"{name}.{key}", value) for key, value in numbers.items()]
        attributes = {"signed": int(signed), "narrow": int(signed), "rounding_mode": mode}
        self.add("Quant", name, source, *inputs, domain=QONNX, **attributes)


def to_qonnx(network: IntegerNetwork, input_shape: tuple[int, ...]) -> onnx.ModelProto:
    """The network in evaluation, batch 1: input float32 raw / input_max, output the last sums.

    The input times input_max / 2^bits lies on a grid of powers of two, so that float32 is exact
    wherever sums stay below 2^24; its zero point is the mean that all pixels lose. Weights are stored as their values; activations of a layer are
    int8 behind its shift, uint7 behind a ReLU.
    """
    graph = Graph("x", -network.input_bits)
    factor = graph.constant("input.factor", network.input_max * 2.0**-network.input_bits)
    graph.add("Mul", "input_scaled", "x", factor)
    mean = graph.constant("input.mean", math.ldexp(network.input_mean, graph.exponent))
    graph.add("Sub", "input_centred", graph.tensor, mean)
    graph.quant("input", graph.tensor, network.input_bits, False, zero=network.input_mean)
    behind = (*network.layers[1:], None)
    for name, layer, following in zip(network.names, network.layers, behind, strict=True):
        WRITERS[type(layer)](graph, name, layer)
        if isinstance(layer, Weighted) and following is not None:
            _activation(graph, name, layer, isinstance(following, Relu))
    return _model(graph, input_shape)


def _weights(graph: Graph, name: str, layer: Weighted, turned: bool) -> str:
    """The weight tensor behind its Quant node."""
    values = layer.weight.numpy().astype(np.float32) * math.ldexp(1.0, int(layer.exponent))
    source = graph.constant(f"{name}.weight", values.T if turned else values)
    whole = Graph(source, int(layer.exponent), graph.nodes, graph.constants)
    whole.quant(f"{name}.weight_quant", source, layer.bits, signed=True)
    graph.exponent += int(layer.exponent)
    return whole.tensor


def _dense(graph: Graph, name: str, layer: Dense) -> None:
    source = graph.tensor
    graph.add("MatMul", name, source, _weights(graph, name, layer, turned=True))


def _convolution(graph: Graph, name: str, layer: Convolution) -> None:
    kernel, stride, padding = layer.geometry
    source = graph.tensor
    weights = _weights(graph, name, layer, turned=False)
    shape = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2, "pads": [padding] * 4}
    graph.add("Conv", name, source, weights, **shape)


def _activation(graph: Graph, name: str, layer: Weighted, rectified: bool) -> None:
    """The shift of a layer; before a ReLU already the ReLU's range."""
    graph.exponent += int(layer.shift)
    bits = INT8_BITS if rectified else INT8_BITS + 1
    graph.quant(f"{name}.act", graph.tensor, bits, not rectified, "HALF_UP")


def _max_pool(graph: Graph, name: str, layer: MaxPool) -> None:
    square = [layer.size] * 2
    graph.add("MaxPool", name, graph.tensor, kernel_shape=square, strides=square)


def _flatten(graph: Graph, name: str, layer: Flatten) -> None:
    graph.add("Flatten", name, graph.tensor, axis=1)


def _relu(graph: Graph, name: str, layer: Relu) -> None:
    """Only a range: the integers stay, which costs nothing where the range is this one before."""
    graph.quant(name, graph.tensor, INT8_BITS, signed=False)


WRITERS: dict[type[Layer], Callable] = {
    Dense: _dense,
    Convolution: _convolution,
    MaxPool: _max_pool,
    Flatten: _flatten,
    Relu: _relu,
}


def _model(graph: Graph, input_shape: tuple[int, ...]) -> onnx.ModelProto:
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *input_shape])
    result = helper.make_tensor_value_info(graph.tensor, TensorProto.FLOAT, None)
    body = helper.make_graph(graph.nodes, "integer_network", [given], [result], graph.constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(QONNX, 2)]
    return helper.make_model(body, opset_imports=opsets, ir_version=8)
