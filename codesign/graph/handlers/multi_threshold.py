"""MultiThreshold nodes: their thresholds as stored, on the real value of their input."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from codesign.graph.builder import Builder, Value, need_constant, need_integers, unsupported
from codesign.graph.chain import Bound
from codesign.graph.emit import emit_levels
from codesign.graph.exact import rationals
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.values import Constant, Tensor, linear
from codesign.types import BIPOLAR, QType

LAYOUT_OF_RANK = {2: "NC", 3: "NWC", 4: "NCHW"}


def multi_threshold(build: Builder, node: OnnxNode, x: Value, thresholds: Value) -> Tensor:
    """out_scale * #{k : x >= T[c, k]} + out_bias, with T as stored."""
    tensor = need_integers(node, x)
    table = _sorted(need_constant(node, thresholds, "thresholds"))
    row_of = _row_of(node, tensor, len(table))
    sets = [[Bound(t) for t in row] for row in table]
    qtype, base, meaning = _output(node, table.shape[1])
    rows = [sets[row] for row in row_of]
    return emit_levels(build, node, tensor, tensor.chain, rows, qtype, base, meaning)


def _sorted(thresholds: Constant) -> np.ndarray:
    """Thresholds, rising in each row, as rationals; floats are sorted as such, many times faster."""
    if thresholds.scale is None and thresholds.values.dtype != object:
        return rationals(np.sort(thresholds.values, axis=1))
    return np.sort(thresholds.real, axis=1)


def _row_of(node: OnnxNode, x: Tensor, rows: int) -> list[int]:
    """Row of the thresholds for each stream index, as a periodic list."""
    rank = x.order.ndim + 1
    layout = node.attrs.get("data_layout") or LAYOUT_OF_RANK.get(rank, "")
    axis = layout.index("C") if "C" in layout else 1
    if rows not in (1, x.order.shape[axis - 1]):
        raise unsupported(
            node,
            f"{rows} rows of thresholds for {x.order.shape[axis - 1]} channels",
            "give one row, or one row for each channel",
        )
    shape = [rows if i == axis else 1 for i in range(rank)]
    return [int(v) for v in x.along(rationals(np.arange(rows)).reshape(shape))]


def _output(node: OnnxNode, count: int) -> tuple[QType, int, object]:
    """Type, lowest integer and meaning of the result."""
    scale = Fraction(float(node.attrs.get("out_scale", 1.0)))
    bias = Fraction(float(node.attrs.get("out_bias", 0.0)))
    if scale == 0:
        raise unsupported(node, "out_scale is 0", "remove the node, its result is constant")
    if node.attrs.get("out_dtype") == "BIPOLAR" and count == 1:
        return BIPOLAR, -1, linear(scale / 2, bias + scale / 2)
    base = bias / scale
    if base.denominator == 1:
        return QType.covering(int(base), int(base) + count), int(base), linear(scale)
    return QType.covering(0, count), 0, linear(scale, bias)
