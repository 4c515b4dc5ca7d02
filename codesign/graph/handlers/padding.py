"""Pad nodes: a border of one value around a picture, or more channels."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import gcd

from codesign.blocks import Pad
from codesign.graph.arrange import as_picture
from codesign.graph.builder import Builder, Value, is_canonical, need_constant, need_linear
from codesign.graph.builder import unsupported as refused
from codesign.graph.chain import period
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.spatial import holding, zero_level
from codesign.graph.values import Tensor, canonical


def pad(
    build: Builder,
    node: OnnxNode,
    x: Value,
    pads: Value | None = None,
    value: Value | None = None,
    axes: Value | None = None,
) -> Tensor:
    """Constant mode only; the value must be a level of the input's grid."""
    tensor = need_linear(node, x)
    before, after = _amounts(node, tensor, pads, axes)
    if not any(before + after):
        return tensor
    mode = node.attrs.get("mode", "constant")
    if mode != "constant" or before[0] or after[0] or min(before + after) < 0:
        raise refused(
            node,
            f"mode {mode}, pads {before} and {after}",
            "pad channels, height and width by a constant, with pads of 0 or more",
        )
    tensor = as_picture(build, node, tensor)
    grids = 1 if before[1] + after[1] else tensor.channels
    if tensor.order.ndim not in (2, 3) or not is_canonical(tensor) or grids % period(tensor.chain):
        raise refused(
            node,
            f"its input of shape {(1, *tensor.order.shape)} is not a picture on one grid",
            "pad (N, C, H, W) or (N, C, L) behind a quantiser with one scale per tensor",
        )
    level = zero_level(node, tensor, _value(node, value))
    tensor = holding(build, node, tensor, level)
    tensor = _channels(build, node, tensor, before[1], after[1], level)
    return _border(build, node, tensor, before[2:], after[2:], level)


def _amounts(
    node: OnnxNode, x: Tensor, pads: Value | None, axes: Value | None
) -> tuple[list[int], list[int]]:
    """Pads before and after each axis, the batch included."""
    rank = x.order.ndim + 1
    if pads is None:
        found = [int(v) for v in node.attrs.get("pads") or node.attrs["paddings"]]
    else:
        found = [int(v) for v in need_constant(node, pads, "pads").values.ravel()]
    numbers = range(rank) if axes is None else need_constant(node, axes, "axes").values.ravel()
    before, after = [0] * rank, [0] * rank
    for i, axis in enumerate(numbers):
        before[int(axis) % rank] = found[i]
        after[int(axis) % rank] = found[i + len(found) // 2]
    return before, after


def _value(node: OnnxNode, value: Value | None) -> Fraction:
    if value is None:
        return Fraction(float(node.attrs.get("value", 0.0)))
    return need_constant(node, value, "value").real.ravel()[0]


def _channels(
    build: Builder, node: OnnxNode, x: Tensor, before: int, after: int, level: int
) -> Tensor:
    """Channels in front and behind: a border around rows of channels, one row a pixel."""
    if not before + after:
        return x
    channels, *size = x.order.shape
    grain = gcd(channels, before, after)
    block = Pad(
        name=build.fresh(f"{node.name}_channels"),
        height=x.elements // channels,
        width=channels // grain,
        channels=grain,
        top=0,
        bottom=0,
        left=before // grain,
        right=after // grain,
        value=level,
        itype=x.qtype,
    )
    total = channels + before + after
    out = build.add(block, (x.name,), (node.name,))
    return replace(x, name=out, order=canonical((total, *size)), channels=total)


def _border(
    build: Builder, node: OnnxNode, x: Tensor, before: list[int], after: list[int], level: int
) -> Tensor:
    """Rows above and below, pixels left and right."""
    if not any(before + after):
        return x
    channels, *size = x.order.shape
    (top, left), (bottom, right) = ([0, *p][-2:] for p in (before, after))
    block = Pad(
        name=build.fresh(f"{node.name}_border"),
        height=size[0] if len(size) == 2 else 1,
        width=size[-1],
        channels=channels,
        top=top,
        bottom=bottom,
        left=left,
        right=right,
        value=level,
        itype=x.qtype,
    )
    grown = tuple(n + a + b for n, a, b in zip(size, before, after, strict=True))
    out = build.add(block, (x.name,), (node.name,))
    return replace(x, name=out, order=canonical((channels, *grown)))
