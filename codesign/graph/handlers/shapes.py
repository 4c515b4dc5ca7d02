"""Reshapes, transposes: pure index algebra on the stream order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from codesign.graph.builder import Builder, Value, need_constant, unsupported
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.values import Constant


def reshape(build: Builder, node: OnnxNode, x: Value, *_: Value) -> Value:
    """Reshape, Flatten, Squeeze, Unsqueeze: the inferred shape says it all."""
    shape = build.shapes[node.outputs[0]]
    if isinstance(x, Constant):
        return x.mapped(lambda array: array.reshape(shape))
    if not shape or shape[0] != 1 or int(np.prod(shape)) != x.elements:
        raise unsupported(
            node, f"it changes the batch axis (result {shape})", "keep the first axis as the batch"
        )
    return replace(x, order=x.order.reshape(shape[1:]))


def transpose(build: Builder, node: OnnxNode, x: Value) -> Value:
    """Permutation of the axes; the batch stays first."""
    rank = x.values.ndim if isinstance(x, Constant) else x.order.ndim + 1
    perm = tuple(node.attrs.get("perm") or reversed(range(rank)))
    if isinstance(x, Constant):
        return x.mapped(lambda array: array.transpose(perm))
    if perm[0] != 0:
        raise unsupported(node, f"perm {perm} moves the batch axis", "keep the batch axis first")
    return replace(x, order=x.order.transpose([p - 1 for p in perm[1:]]))


def identity(build: Builder, node: OnnxNode, x: Value, *_: Value) -> Value:
    """The same values."""
    return x


def dropout(
    build: Builder,
    node: OnnxNode,
    x: Value,
    ratio: Value | None = None,
    training: Value | None = None,
) -> Value:
    """Nothing at inference; ratio and mask do not matter then."""
    if training is not None and np.any(need_constant(node, training, "training_mode").values):
        raise unsupported(node, "it drops values (training_mode is set)", "export model.eval()")
    return x
