"""Add and Sub: constants move into the meaning, two activations become a sum."""

from __future__ import annotations

from functools import reduce

import numpy as np

from codesign.graph.arrange import arranged
from codesign.graph.builder import Builder, Value, need_linear, unsupported
from codesign.graph.handlers.elementwise import neg, scaled
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.sums import joined, whole
from codesign.graph.values import ONE, Constant, Tensor


def add(build: Builder, node: OnnxNode, a: Value, b: Value) -> Value:
    """Sum with a constant (no block) or of two activations (an Add block)."""
    if isinstance(a, Constant):
        a, b = b, a
    if isinstance(a, Constant):
        return Constant(a.real + b.real)
    if isinstance(b, Constant):
        return scaled(a, ONE, a.along(b.real))
    return _join(build, node, need_linear(node, a), need_linear(node, b))


def total(build: Builder, node: OnnxNode, *values: Value) -> Value:
    """Sum of any number of tensors."""
    return reduce(lambda a, b: add(build, node, a, b), values)


def sub(build: Builder, node: OnnxNode, a: Value, b: Value) -> Value:
    """a + (-b)."""
    if isinstance(b, Constant):
        return add(build, node, a, Constant(-b.real))
    return add(build, node, a, neg(build, node, b))


def _join(build: Builder, node: OnnxNode, a: Tensor, b: Tensor) -> Tensor:
    if a.order.shape != b.order.shape:
        raise unsupported(
            node,
            f"its inputs have the shapes {(1, *a.order.shape)} and {(1, *b.order.shape)}",
            "add tensors of one shape",
        )
    a, b = whole(build, node, a), whole(build, node, b)
    if np.any(a.order != b.order):
        b = arranged(build, node, b, a.order, a.channels)
    return joined(build, node, a, b)
