"""LinearQuant and DequantizeLinear: the quantisers of ONNX itself."""

from __future__ import annotations

import numpy as np

from codesign.graph.builder import Builder, Value, need_constant, need_linear, unsupported
from codesign.graph.chain import Bound
from codesign.graph.exact import rationals
from codesign.graph.handlers.elementwise import scaled
from codesign.graph.handlers.quantisers import Grid, check_grid, quantised, spread, vector
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.thresholds import HALF
from codesign.graph.values import Constant
from codesign.types import QType


def linear_quant(build: Builder, node: OnnxNode, x: Value, scale: Value, zero: Value) -> Value:
    """q = clip(round_half_even(x/scale) + zero, low, high); real = scale*(q - zero)."""
    low, high = int(node.attrs["low"]), int(node.attrs["high"])
    if isinstance(x, Constant):
        return _constant(node, x, scale, zero, low, high)
    s, z = vector(node, x, scale, "scale"), vector(node, x, zero, "zero point")
    check_grid(node, s, z)
    if len(z) > 1:
        raise unsupported(
            node, "its zero points differ from channel to channel", "use one zero point per tensor"
        )
    origin = int(z[0])

    def bound_of(level: int) -> Bound:  # the even side of a tie counts from the zero point
        return Bound(level - HALF, inclusive=(level - origin) % 2 == 0)

    return quantised(build, node, x, Grid(_type(low, high), low, high, s, z), bound_of)


def _constant(
    node: OnnxNode, x: Constant, scale: Value, zero: Value, low: int, high: int
) -> Constant:
    """Integers of a constant in float32, as onnxruntime computes them: they ARE the weights."""
    s, z = (
        np.asarray(need_constant(node, v, what).values, np.float32)
        for v, what in ((scale, "scale"), (zero, "zero point"))
    )
    value = x.values if x.scale is None else x.real.astype(float)
    q = np.clip(np.rint(np.asarray(value, np.float32) / s) + z, np.float32(low), np.float32(high))
    kept = _type(low, high) if not np.any(z) else None
    integers = (q - z).astype(np.int64)
    return Constant(integers, spread(s, integers), kept, (*x.sources, node.name))


def _type(low: int, high: int) -> QType:
    covering = QType.covering(low, high)
    return QType(covering.bits, narrow=True) if low == -high and high > 1 else covering


def dequantize_linear(
    build: Builder, node: OnnxNode, x: Value, scale: Value, zero: Value | None = None
) -> Value:
    """Stored integers (or those of the model's input) times their scale."""
    s = need_constant(node, scale, "scale")
    z = None if zero is None else need_constant(node, zero, "zero point")
    if not isinstance(x, Constant):
        tensor = need_linear(node, x)
        factor = _along_axis(node, s.values, tensor.order.ndim + 1)
        origin = _along_axis(node, np.zeros(1) if z is None else z.values, tensor.order.ndim + 1)
        factor, offset = rationals(factor), -rationals(factor) * rationals(origin)
        return scaled(tensor, tensor.along(factor), tensor.along(offset))
    integers = x.values.astype(np.int64)
    if z is not None:
        integers = integers - _along_axis(node, z.values, integers.ndim).astype(np.int64)
    factor = _along_axis(node, np.asarray(s.values, np.float32), integers.ndim)
    kept = x.qtype if z is None or not np.any(z.values) else None
    return Constant(integers, spread(factor, integers), kept, (*x.sources, node.name))


def _along_axis(node: OnnxNode, values: np.ndarray, rank: int) -> np.ndarray:
    """A vector along the node's axis, or a scalar."""
    if values.size == 1:
        return values.reshape(())
    axis = int(node.attrs.get("axis", 1)) % rank
    return values.reshape([-1 if i == axis else 1 for i in range(rank)])
