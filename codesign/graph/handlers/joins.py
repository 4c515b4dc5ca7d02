"""Add and Sub: constants move into the meaning, two activations need one common scale."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import reduce

import numpy as np

from codesign.blocks import Add
from codesign.graph.builder import Builder, Value, need_linear, unsupported
from codesign.graph.chain import Linear, wide
from codesign.graph.handlers.elementwise import neg, scaled
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.values import ONE, Constant, Tensor
from codesign.types import QType

MAX_MULTIPLIER = 255


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
    if a.order.shape != b.order.shape or np.any(a.order != b.order):
        raise unsupported(
            node,
            f"its inputs have shapes {a.order.shape} and {b.order.shape}, or another element order",
            "add tensors of one shape, both before or both after a reshape",
        )
    ma, mb, unit = _common(node, a.linear.scale, b.linear.scale)
    low = _low(a.qtype, ma) + _low(b.qtype, mb)
    high = -_low(a.qtype, -ma) - _low(b.qtype, -mb)
    otype = QType.covering(low, high)
    block = Add(
        name=build.fresh(node.name),
        channels=a.channels,
        vectors=a.elements // a.channels,
        itypes=(a.qtype, b.qtype),
        scales=(ma, mb),
        otype=otype,
    )
    out = build.add(block, (a.name, b.name), (node.name,))
    offset = wide(a.linear.offset, b.linear.offset, np.add)
    return replace(a, name=out, qtype=otype, chain=(Linear(unit, offset),))


def _common(node: OnnxNode, a: np.ndarray, b: np.ndarray) -> tuple[int, int, np.ndarray]:
    """Integers ma, mb and scales u with a = ma*u and b = mb*u; raises UnsupportedLayer."""
    ratios = {x / y if y else Fraction(0) for x, y in wide(a, b, _pairs)}
    ratio = ratios.pop()
    if ratios or ratio == 0 or max(abs(ratio.numerator), ratio.denominator) > MAX_MULTIPLIER:
        raise unsupported(
            node,
            f"the scales of its inputs have the ratio {float(ratio):.6g}, not one of small integers",
            "share one quantiser between both inputs of the sum (QuantIdentity in Brevitas)",
        )
    return ratio.numerator, ratio.denominator, a / ratio.numerator


def _pairs(a: np.ndarray, b: np.ndarray) -> list[tuple[Fraction, Fraction]]:
    return list(zip(a, b, strict=True))


def _low(qtype: QType, factor: int) -> int:
    """Smallest value of factor*q."""
    return min(factor * qtype.min, factor * qtype.max)
