"""MatMul, Gemm and convolutions: Pad, Window, MatVec and Depthwise blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from codesign.blocks import Depthwise, MatVec
from codesign.graph.builder import Builder, Value, need_constant, need_linear, unsupported
from codesign.graph.exact import rationals
from codesign.graph.handlers.elementwise import scaled
from codesign.graph.handlers.joins import add
from codesign.graph.naming import layer_name
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.products import emit_product, integer_weights
from codesign.graph.spatial import Geometry, windowed
from codesign.graph.values import ZERO, Constant, Tensor, canonical


def matmul(build: Builder, node: OnnxNode, x: Value, w: Value) -> Tensor:
    """x (..., K) times constant w (K, N): one MatVec over all leading positions."""
    tensor = need_linear(node, x)
    weight = need_constant(node, w, "second input")
    if weight.values.ndim != 2 or tensor.order.shape[-1] != weight.values.shape[0]:
        raise unsupported(
            node,
            f"shapes {(1, *tensor.order.shape)} and {weight.values.shape}",
            "multiply by a constant matrix (K, N)",
        )
    columns = tensor.order.reshape(-1, weight.values.shape[0])
    places = columns - np.arange(len(columns))[:, None] * columns.shape[1]
    if np.any(places != places[0]):
        raise unsupported(
            node,
            "its rows are not contiguous in the stream of channels-last elements",
            "flatten or transpose so that each product reads neighbouring elements",
        )
    stream_order = np.argsort(places[0])
    matrix = weight.mapped(lambda array: array.T[:, stream_order])
    weights = integer_weights(node, matrix)
    name = layer_name(node, weight.sources)
    order = np.arange(len(columns) * weight.values.shape[1])
    out = emit_product(build, node, MatVec, name, tensor, weights, len(columns))
    return replace(out, order=order.reshape(*tensor.order.shape[:-1], -1))


def gemm(build: Builder, node: OnnxNode, a: Value, b: Value, c: Value | None = None) -> Tensor:
    """alpha * A B + beta * C."""
    if node.attrs.get("transA", 0):
        raise unsupported(node, "transA is set", "transpose the activation in the model")
    weight = need_constant(node, b, "second input")
    if node.attrs.get("transB", 0):
        weight = weight.mapped(lambda array: array.T)
    alpha, beta = (rationals([float(node.attrs.get(k, 1.0))]) for k in ("alpha", "beta"))
    out = scaled(matmul(build, node, a, weight), alpha, ZERO)
    if c is None:
        return out
    bias = need_constant(node, c, "bias")
    return add(build, node, out, bias if beta[0] == 1 else Constant(bias.real * beta[0]))


def conv(build: Builder, node: OnnxNode, x: Value, w: Value, b: Value | None = None) -> Tensor:
    """Dense or depthwise convolution in one or two dimensions."""
    tensor = need_linear(node, x)
    weight = need_constant(node, w, "weight")
    if weight.values.ndim == 3:
        weight = weight.mapped(lambda array: array[:, :, None, :])
    geometry = Geometry.of(node, tensor, tuple(weight.values.shape[2:]))
    depthwise = _is_depthwise(node, tensor, weight)
    name = layer_name(node, weight.sources)
    axes = (0, 2, 3, 1)
    matrix = weight.mapped(lambda array: array.transpose(axes).reshape(len(array), -1))
    source = windowed(build, node, tensor, geometry, name)
    kind = Depthwise if depthwise else MatVec
    weights = integer_weights(node, matrix)
    out = emit_product(build, node, kind, name, source, weights, geometry.pixels)
    shape = build.shapes[node.outputs[0]][1:]
    out = replace(out, order=canonical(shape))
    if b is None:
        return out
    column = (1, -1, *(1,) * (len(shape) - 1))
    bias = need_constant(node, b, "bias").mapped(lambda array: array.reshape(column))
    return add(build, node, out, bias)


def _is_depthwise(node: OnnxNode, x: Tensor, weight: Constant) -> bool:
    group, channels = int(node.attrs.get("group", 1)), x.order.shape[0]
    rows, per_group = weight.values.shape[:2]
    if group == 1:
        return False
    if group == channels == rows and per_group == 1:
        return True
    raise unsupported(
        node,
        f"{group} groups over {channels} input and {rows} output channels",
        "use group 1 (dense) or as many groups as input and output channels (depthwise)",
    )
