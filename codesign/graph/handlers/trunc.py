"""Trunc: a quantised value loses its lowest bits (Brevitas' average pooling ends with one)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np

from codesign.graph.arrange import as_picture
from codesign.graph.builder import Builder, Value, need_constant, need_linear, unsupported
from codesign.graph.chain import Bound, Chain, evaluate, extended, period
from codesign.graph.exact import rationals
from codesign.graph.handlers.pooling import average_pool
from codesign.graph.handlers.quantisers import Grid, levelled
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.thresholds import ROUNDING
from codesign.graph.values import ONE, ZERO, Tensor
from codesign.types import QType


def trunc(
    build: Builder, node: OnnxNode, x: Value, scale: Value, zero: Value, bits: Value, *out: Value
) -> Tensor:
    """q = rounding(round(x/scale + zero_point) / 2^n), in both versions of qonnx.

    Version 1 (five inputs) drops n = bits - out_bits bits and keeps the scale; version 2 (six)
    has a scale of its own for the output, 2^n times the first, and clips to its width.
    """
    tensor = need_linear(node, x)
    s, z, width = (_scalar(node, v) for v in (scale, zero, out[-1]))
    second = len(out) == 2
    worth = _scalar(node, out[0]) if second else s
    dropped = int(np.rint(np.log2(float(worth / s))) if second else _scalar(node, bits) - width)
    mode = str(node.attrs.get("rounding_mode", "FLOOR")).upper()
    if dropped < 0 or z.denominator != 1 or (z and second) or mode not in ROUNDING:
        raise unsupported(
            node,
            f"{dropped} bits dropped, zero point {float(z)}, rounding {mode}",
            "drop bits of a tensor with zero point 0, with FLOOR or ROUND",
        )
    divisor = 1 << dropped
    bound_of = _bounds(mode, divisor)
    chain = extended(tensor.chain, rationals([1 / (s * divisor)]), rationals([z / divisor]))
    qtype = _declared(node, int(width)) if second else _reached(tensor, chain, bound_of)
    narrow = second and not qtype.signed and bool(node.attrs.get("narrow", 0))
    grid = Grid(qtype, qtype.min, qtype.max - narrow, rationals([worth]), rationals([z]))
    return levelled(build, node, tensor, grid, bound_of, chain)


def quant_average_pool(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """FINN's QuantAvgPool2d: sums of integers without their lowest bits, never clipped."""
    tensor = as_picture(build, node, need_linear(node, x))
    kernel, stride, ibits, obits = (
        int(node.attrs[k]) for k in ("kernel", "stride", "ibits", "obits")
    )
    if node.attrs.get("data_layout", "NCHW") != "NCHW":
        raise unsupported(node, "its data_layout is not NCHW", "export it channels first")
    plain = replace(node, attrs={"kernel_shape": [kernel] * 2, "strides": [stride] * 2})
    mean = average_pool(build, plain, tensor)
    dropped = max(0, (((1 << ibits) - 1) * kernel * kernel).bit_length() - obits)
    bound_of = _bounds("FLOOR", 1 << dropped)
    factor = rationals([Fraction(kernel * kernel, 1 << dropped)])
    chain = extended(mean.chain, factor, ZERO)
    qtype = _reached(mean, chain, bound_of)
    grid = Grid(qtype, qtype.min, qtype.max, ONE, ZERO)
    return levelled(build, node, mean, grid, bound_of, chain)


def _bounds(mode: str, divisor: int) -> Callable[[int], Bound]:
    """Sets of v/divisor for which rounding(round(v)/divisor) reaches a level."""

    def bound_of(level: int) -> Bound:
        edge = ROUNDING[mode](level)
        start = edge.value * divisor
        whole = ROUNDING["ROUND"](math.ceil(start) if edge.inclusive else math.floor(start) + 1)
        return whole.moved(whole.value / divisor)

    return bound_of


def _reached(x: Tensor, chain: Chain, bound_of: Callable[[int], Bound]) -> QType:
    """Type of all levels that occur; nothing is clipped."""
    rows = math.lcm(period(chain), x.period)
    ends = [evaluate(chain, q, i) for i in range(rows) for q in x.ends(i)]
    levels = [
        max(k for k in range(math.floor(v) - 3, math.floor(v) + 3) if bound_of(k).holds(v))
        for v in (min(ends), max(ends))
    ]
    return QType.covering(levels[0], levels[1])


def _declared(node: OnnxNode, width: int) -> QType:
    signed = bool(node.attrs.get("signed", 1))
    return QType(width, signed, narrow=signed and bool(node.attrs.get("narrow", 0)))


def _scalar(node: OnnxNode, value: Value) -> Fraction:
    found = need_constant(node, value, "parameter").real.ravel()
    if any(v != found[0] for v in found):
        raise unsupported(node, "it has parameters per channel", "use one scale per tensor")
    return found[0]
