"""Integer products: weights as integers with a scale per row, accumulators as wide as proven."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

import numpy as np

from codesign.blocks import Depthwise, MatVec
from codesign.graph.builder import Builder, covering, unsupported
from codesign.graph.chain import Linear
from codesign.graph.exact import gcd, periodic, rationals
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.values import Constant, Tensor
from codesign.graph.weight_types import stored_type
from codesign.types import BIPOLAR, QType

SMALL_RATIO = 255  # of two scales of one input, to go into the weights
ACCUMULATOR_BITS = 48


@dataclass(frozen=True)
class Weights:
    """Integers (rows, cols) with their type and a rational scale per row."""

    integers: np.ndarray
    qtype: QType
    scale: np.ndarray
    sources: tuple[str, ...]


def integer_weights(node: OnnxNode, matrix: Constant) -> Weights:
    """The constant as integers with one scale per row; raises UnsupportedLayer."""
    values = matrix.values
    # Infinity is no integer either, although it equals itself rounded.
    whole = values.dtype != object and np.all(np.isfinite(values) & (values == np.rint(values)))
    if not whole:
        raise unsupported(
            node,
            f"its weights {matrix.sources[:1] or ''} are not quantised",
            "quantise them (a Quant node, or integers in the file), for instance by training with "
            "`codesign train` or a Brevitas layer with a weight quantiser",
        )
    integers = values.astype(np.int64)
    scale = np.ones((len(integers), 1)) if matrix.scale is None else matrix.scale
    if np.any(scale != scale[:, :1]):
        raise unsupported(
            node,
            "its weights have different scales within one output channel",
            "use one weight scale per tensor or per output channel",
        )
    qtype = matrix.qtype if _fits(integers, matrix.qtype) else _natural(integers)
    return Weights(integers, qtype, rationals(scale[:, 0]), matrix.sources)


def emit_product(
    build: Builder,
    node: OnnxNode,
    kind: type[MatVec | Depthwise],
    name: str,
    x: Tensor,
    weights: Weights,
    vectors: int,
) -> Tensor:
    """Append a MatVec or Depthwise block; its meaning absorbs the input's scale and offset.

    sum_j W[r,j]*(s*x[j] + o[j]) = s*acc[r] + sum_j W[r,j]*o[j]
    """
    name = build.fresh(name)
    rows, cols = weights.integers.shape
    per_row = kind is Depthwise
    scale, offset = _absorbed(node, x, weights, per_row)
    if not per_row:
        weights = _folded(build, node, x, weights)
    acc = _accumulator(weights.integers, x.qtype)
    _check_accumulator(node, acc, x.qtype)
    wtype = stored_type(weights.integers, weights.qtype, x.qtype)
    sizes = {"channels": rows, "taps": cols} if per_row else {"rows": rows, "cols": cols}
    block = kind(
        name=name,
        **sizes,
        vectors=vectors,
        itype=x.qtype,
        wtype=wtype,
        acc=acc,
        weight=build.param(name, "weight", weights.integers, wtype),
    )
    out = build.add(block, (x.name,), (node.name, *weights.sources))
    meaning = Linear(periodic(scale, rows), periodic(offset, rows))
    return Tensor(out, acc, (meaning,), np.arange(vectors * rows), rows)


def _absorbed(
    node: OnnxNode, x: Tensor, weights: Weights, per_row: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Scale and offset of each output row."""
    step, (rows, cols) = x.linear, weights.integers.shape
    if per_row:
        scale, offset = np.resize(step.scale, rows), np.resize(step.offset, rows)
        sums = rationals(weights.integers.sum(axis=1))
        return weights.scale * scale, weights.scale * sums * offset
    if cols % lcm(len(step.scale), len(step.offset)):
        raise unsupported(
            node,
            "the scale or offset of its input differs from row to row",
            "use scales and biases that are the same for every row, or quantise in front of it",
        )
    if len(step.offset) == 1:
        dots = rationals(weights.integers.sum(axis=1)) * step.offset[0]
    else:
        dots = weights.integers.astype(object) @ np.resize(step.offset, cols)
    return weights.scale * _unit(step.scale), weights.scale * (dots + Fraction(0))


def _unit(scales: np.ndarray) -> Fraction:
    """What all scales are integer multiples of."""
    return scales[0] if len(scales) == 1 else gcd(scales) or Fraction(1)


def _folded(build: Builder, node: OnnxNode, x: Tensor, weights: Weights) -> Weights:
    """Weights that hold the scales of their columns, as multiples of the unit."""
    scales, cols = x.linear.scale, weights.integers.shape[1]
    if len(scales) == 1:
        return weights
    multiples = np.resize(scales / _unit(scales), cols)
    if max(abs(m) for m in multiples) > SMALL_RATIO:
        raise unsupported(
            node,
            "its input has a scale per channel, and they are no small multiples of one unit",
            "use one scale per tensor for the activations in front of it",
        )
    integers = weights.integers * np.array([int(m) for m in multiples])
    qtype = covering(integers)
    build.note(
        f"{node} has weights of {qtype.bits} instead of {weights.qtype.bits} bits, because they hold "
        "the scales of its input channels; use one scale per tensor in front of it to save them"
    )
    return replace(weights, integers=integers, qtype=qtype)


def _accumulator(weights: np.ndarray, itype: QType) -> QType:
    """Narrowest type of every sum (and partial sum from zero) over all inputs of `itype`."""
    # Python integers: sums of sums may need over 64 bits, which the caller refuses.
    positive = np.maximum(weights, 0).sum(axis=1).astype(object)
    negative = np.minimum(weights, 0).sum(axis=1).astype(object)
    high = (positive * itype.max + negative * itype.min).max()
    low = (positive * itype.min + negative * itype.max).min()
    return QType.covering(min(low, 0), max(high, 0))


def _check_accumulator(node: OnnxNode, acc: QType, itype: QType) -> None:
    if acc.bits > ACCUMULATOR_BITS:
        raise unsupported(
            node,
            f"its sums need {acc.bits} bits, because its input has the type {itype}",
            "put a quantiser in front of it",
        )


def _fits(integers: np.ndarray, qtype: QType | None) -> bool:
    """True when a declared type holds every value."""
    if qtype is None or not integers.size:
        return qtype is not None
    return qtype.min <= integers.min() and integers.max() <= qtype.max


def _natural(integers: np.ndarray) -> QType:
    """Type of integer weights that carry no annotation."""
    if np.all(np.abs(integers) == 1):
        return BIPOLAR
    return covering(integers)
