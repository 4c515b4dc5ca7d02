"""MatMul, Gemm and convolutions: Pad, Window, MatVec and Depthwise blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from codesign.blocks import Depthwise, MatVec
from codesign.graph.arrange import arranged, as_picture
from codesign.graph.builder import Builder, Value, need_constant, need_linear, unsupported
from codesign.graph.column_scales import runs_of_scale, sum_of_runs
from codesign.graph.exact import rationals
from codesign.graph.handlers.elementwise import scaled
from codesign.graph.handlers.joins import add
from codesign.graph.naming import layer_name
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.products import emit_product, integer_weights
from codesign.graph.spatial import Geometry, windowed
from codesign.graph.values import ZERO, Constant, Tensor, canonical
from codesign.types import BIPOLAR


def matmul(build: Builder, node: OnnxNode, x: Value, w: Value) -> Tensor:
    """x (..., K) times constant w (K, N): one MatVec over all leading positions.

    A constant from the left is the same with both transposed.
    """
    if isinstance(x, Constant) and isinstance(w, Tensor) and w.order.ndim > 1:
        turned = replace(w, order=w.order.swapaxes(-1, -2))
        out = matmul(build, node, turned, x.mapped(lambda array: array.swapaxes(-1, -2)))
        return replace(out, order=out.order.swapaxes(-1, -2))
    tensor = need_linear(node, x)
    weight = need_constant(node, w, "second input")
    if weight.values.ndim != 2 or tensor.order.shape[-1] != weight.values.shape[0]:
        raise unsupported(
            node,
            f"shapes {(1, *tensor.order.shape)} and {weight.values.shape}",
            "multiply by a constant matrix (K, N)",
        )
    runs = runs_of_scale(tensor, -1)
    if len(runs) > 1:

        def part(piece: Tensor, run: range) -> Tensor:
            return matmul(build, node, piece, weight.mapped(lambda a: a[run.start : run.stop]))

        return sum_of_runs(build, node, tensor, tensor.order.ndim - 1, runs, part)
    return _by_rows(build, node, tensor, weight)


def _by_rows(build: Builder, node: OnnxNode, x: Tensor, weight: Constant) -> Tensor:
    """One MatVec for all rows of `x`, its columns in the order in which their elements come."""
    shape = x.order.shape
    places = _places(x, shape[-1])
    if np.any(places != places[0]):
        x = arranged(build, node, x, np.arange(x.elements).reshape(shape), shape[-1])
        places = _places(x, shape[-1])
    stream_order = np.argsort(places[0])
    weights = integer_weights(node, weight.mapped(lambda array: array.T[:, stream_order]))
    name = layer_name(node, weight.sources)
    out = emit_product(build, node, MatVec, name, x, weights, len(places))
    return replace(out, order=out.order.reshape(*shape[:-1], -1))


def _places(x: Tensor, cols: int) -> np.ndarray:
    """Where the elements of each row lie, counted from where the row would start."""
    rows = x.order.reshape(-1, cols)
    return rows - np.arange(len(rows))[:, None] * cols


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
    """Convolution in one or two dimensions: dense, depthwise, or in groups."""
    tensor = as_picture(build, node, need_linear(node, x))
    weight = need_constant(node, w, "weight")
    if weight.values.ndim == 3:
        weight = weight.mapped(lambda array: array[:, :, None, :])
    geometry = Geometry.of(node, tensor, tuple(weight.values.shape[2:]))
    return filtered(build, node, tensor, geometry, weight, int(node.attrs.get("group", 1)), b)


def filtered(
    build: Builder,
    node: OnnxNode,
    x: Tensor,
    geometry: Geometry,
    weight: Constant,
    group: int,
    bias: Value | None,
) -> Tensor:
    """`x` convolved with `weight` (out, in/group, kh, kw), plus a bias per output channel."""
    rows, per_group = weight.values.shape[:2]
    depthwise = group > 1 and group == x.order.shape[0] == rows and per_group == 1
    if group > 1 and not depthwise:
        weight = _block_diagonal(build, node, weight, group)
    runs = [] if depthwise else runs_of_scale(x, 0)
    if len(runs) > 1:

        def part(piece: Tensor, run: range) -> Tensor:
            kernel = weight.mapped(lambda array: array[:, run.start : run.stop])
            size = replace(geometry, channels=len(run))
            return filtered(build, node, piece, size, kernel, 1, None)

        return _biased(build, node, sum_of_runs(build, node, x, 0, runs, part), bias)
    name = layer_name(node, weight.sources)
    axes = (0, 2, 3, 1)
    matrix = weight.mapped(lambda array: array.transpose(axes).reshape(len(array), -1))
    weights = integer_weights(node, matrix)
    source = windowed(build, node, x, geometry, name)
    kind = Depthwise if depthwise else MatVec
    out = emit_product(build, node, kind, name, source, weights, geometry.pixels)
    shape = build.shapes[node.outputs[0]][1:]
    return _biased(build, node, replace(out, order=canonical(shape)), bias)


def _biased(build: Builder, node: OnnxNode, out: Tensor, bias: Value | None) -> Tensor:
    """`out` with a constant per channel."""
    if bias is None:
        return out
    column = (1, -1, *(1,) * (out.order.ndim - 1))
    constant = need_constant(node, bias, "bias").mapped(lambda array: array.reshape(column))
    return add(build, node, out, constant)


def _block_diagonal(build: Builder, node: OnnxNode, weight: Constant, group: int) -> Constant:
    """Grouped weights (out, in/group, kh, kw) as dense ones, 0 between the groups."""
    values = weight.values
    rows, per_group = values.shape[:2]
    dense = np.zeros((rows, per_group * group, *values.shape[2:]), values.dtype)
    for g in range(group):
        own = slice(g * rows // group, (g + 1) * rows // group)
        dense[own, g * per_group : (g + 1) * per_group] = values[own]
    scale = None if weight.scale is None else np.tile(weight.scale, (1, group, 1, 1))
    qtype = None if weight.qtype == BIPOLAR else weight.qtype
    build.note(
        f"{node} has {group} groups and is computed densely: a share of 1/{group} of its products "
        "counts; use group 1, or as many groups as input and output channels, to save them"
    )
    return replace(weight, values=dense, scale=scale, qtype=qtype)
