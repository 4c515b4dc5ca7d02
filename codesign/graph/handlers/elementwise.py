"""Constants times, plus; batch norm; activation functions: none of them costs a block."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from codesign.graph.builder import Builder, Value, need_constant, need_tensor, unsupported
from codesign.graph.chain import Clip, Leak, Step, extended
from codesign.graph.exact import rationals, sqrt
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.values import ONE, ZERO, Constant, Tensor


def scaled(tensor: Tensor, scale: np.ndarray, offset: np.ndarray) -> Tensor:
    """`tensor` followed by y*scale + offset (periodic vectors of the stream)."""
    return replace(tensor, chain=extended(tensor.chain, scale, offset))


def stepped(tensor: Tensor, step: Step) -> Tensor:
    """`tensor` followed by one more step."""
    return replace(tensor, chain=(*tensor.chain, step))


def mul(build: Builder, node: OnnxNode, a: Value, b: Value) -> Value:
    """Product with a constant."""
    if isinstance(a, Constant):
        a, b = b, a
    if isinstance(a, Constant):
        return Constant(a.real * b.real)
    factor = need_constant(node, b, "second factor")
    return scaled(a, a.along(factor.real), ZERO)


def div(build: Builder, node: OnnxNode, a: Value, b: Value) -> Value:
    """Quotient by a constant."""
    divisor = need_constant(node, b, "divisor").real
    if any(v == 0 for v in divisor.ravel()):
        raise unsupported(node, "it divides by zero", "correct the constant in the model")
    if isinstance(a, Constant):
        return Constant(a.real / divisor)
    return scaled(a, a.along(Fraction(1) / divisor), ZERO)


def neg(build: Builder, node: OnnxNode, a: Value) -> Value:
    """Sign change."""
    return scaled(need_tensor(node, a), -ONE, ZERO)


def batch_norm(
    build: Builder, node: OnnxNode, x: Value, gamma: Value, beta: Value, mean: Value, var: Value
) -> Tensor:
    """Inference form: gamma*(x - mean)/sqrt(var + epsilon) + beta, per channel (axis 1)."""
    tensor = need_tensor(node, x)
    _check_inference(node)
    g, b, m, v = (need_constant(node, c, "parameter").real for c in (gamma, beta, mean, var))
    epsilon = Fraction(float(np.float32(node.attrs.get("epsilon", 1e-5))))
    root = rationals([sqrt(value + epsilon) for value in v.ravel()])
    scale = g.ravel() / root
    offset = b.ravel() - m.ravel() * scale
    column = (1, -1, *(1,) * (tensor.order.ndim - 1))
    return scaled(tensor, tensor.along(scale.reshape(column)), tensor.along(offset.reshape(column)))


def _check_inference(node: OnnxNode) -> None:
    """Raise UnsupportedLayer for the forms that normalise by each batch, or pixel by pixel."""
    trains = node.attrs.get("training_mode", 0) or sum(map(bool, node.outputs)) > 1
    if trains or not node.attrs.get("spatial", 1):
        raise unsupported(
            node,
            "it is in training mode, or has statistics for every pixel (spatial=0)",
            "export the inference form (model.eval()), with statistics per channel",
        )


def relu(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """max(x, 0)."""
    return stepped(need_tensor(node, x), Clip(Fraction(0), None))


def clip(
    build: Builder, node: OnnxNode, x: Value, low: Value | None = None, high: Value | None = None
) -> Tensor:
    """Bounds as inputs (opset 11 on) or as attributes; HardTanh and ReLU6 export as this."""
    return stepped(need_tensor(node, x), Clip(_bound(node, low, "min"), _bound(node, high, "max")))


def leaky_relu(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """x or alpha*x."""
    alpha = Fraction(float(np.float32(node.attrs.get("alpha", 0.01))))
    if alpha <= 0:
        raise unsupported(node, f"alpha is {float(alpha)}", "use a positive alpha")
    return stepped(need_tensor(node, x), Leak(alpha))


def _bound(node: OnnxNode, value: Value | None, attribute: str) -> Fraction | None:
    if value is not None:
        return need_constant(node, value, attribute).real.ravel()[0]
    found = node.attrs.get(attribute)
    return None if found is None else Fraction(float(np.float32(found)))
