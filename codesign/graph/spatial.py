"""Pictures in the stream: padding and sliding windows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

import numpy as np

from codesign.blocks import Pad, Threshold, Window
from codesign.graph.builder import Builder, covering, is_canonical, unsupported
from codesign.graph.chain import period
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.values import Tensor
from codesign.types import QType

MAX_ZERO = 256  # beyond, a wider type would cost more than a better quantiser


@dataclass(frozen=True)
class Geometry:
    """Picture, kernel, stride, dilation (vertical, horizontal) and pads (top, left, bottom, right)."""

    height: int
    width: int
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
    pads: tuple[int, int, int, int]

    @classmethod
    def of(cls, node: OnnxNode, x: Tensor, kernel: tuple[int, int]) -> Geometry:
        """From the attributes of a Conv or pool over (C, H, W) or (C, L); raises UnsupportedLayer."""
        need_picture(node, x)
        channels, *size = x.order.shape
        height, width = (1, *size) if len(size) == 1 else size
        pads = tuple(int(p) for p in node.attrs.get("pads") or (0,) * (2 * len(size)))
        if len(size) == 1:
            pads = (0, pads[0], 0, pads[1])
        geometry = cls(
            height,
            width,
            channels,
            kernel,
            node.pairs("strides", 1),
            node.pairs("dilations", 1),
            pads,
        )
        if min(pads) < 0:
            raise unsupported(
                node, f"its pads {pads} cut pixels off", "use pads of 0 or more, and a Slice"
            )
        return geometry._rounded_up(node) if node.attrs.get("ceil_mode", 0) else geometry

    def _rounded_up(self, node: OnnxNode) -> Geometry:
        """ceil_mode: more padding at the bottom and right, until the last window is whole.

        Raises UnsupportedLayer where that window holds padding alone: runtimes differ on its value.
        """
        top, left, bottom, right = self.pads
        sizes = (self.height + top + bottom, self.width + left + right)
        missing = [
            -(size - extent) % stride
            for size, extent, stride in zip(sizes, self.extent, self.stride, strict=True)
        ]
        rounded = replace(self, pads=(top, left, bottom + missing[0], right + missing[1]))
        ends = (top + self.height, left + self.width)
        last = ((n - 1) * s for n, s in zip(rounded.out, self.stride, strict=True))
        if any(start >= end for start, end in zip(last, ends, strict=True)):
            raise unsupported(
                node,
                "its ceil_mode adds windows that hold padding alone",
                "leave ceil_mode out, or pad so that every window meets the picture",
            )
        return rounded

    @property
    def extent(self) -> tuple[int, int]:
        """Pixels that the dilated kernel spans."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def padded(self) -> tuple[int, int]:
        """Height and width with padding."""
        top, left, bottom, right = self.pads
        return (self.height + top + bottom, self.width + left + right)

    @property
    def out(self) -> tuple[int, int]:
        """Height and width of the result."""
        return tuple(
            (n - e) // s + 1 for n, e, s in zip(self.padded, self.extent, self.stride, strict=True)
        )

    @property
    def pixels(self) -> int:
        """Pixels of the result."""
        return self.out[0] * self.out[1]

    @property
    def needs_window(self) -> bool:
        """False where the stream already holds the windows one after another."""
        whole = self.pixels == 1 and self.kernel == self.padded
        single = self.kernel == (1, 1) and self.stride == (1, 1)
        return not (whole or single)


def need_picture(node: OnnxNode, x: Tensor) -> None:
    """Raise UnsupportedLayer unless `x` is a picture, channels innermost, whose pixels mean alike."""
    if x.order.ndim not in (2, 3) or not is_canonical(x):
        raise unsupported(
            node,
            f"its input of shape {(1, *x.order.shape)} is not a picture in channels-last order",
            "feed it (N, C, H, W) or (N, C, L) that no reshape has rearranged",
        )
    if x.order.shape[0] % period(x.chain):
        raise unsupported(
            node,
            "the scale or offset of its input differs from pixel to pixel",
            "use scales and biases per tensor or per channel, or quantise in front of it",
        )


def windowed(
    build: Builder, node: OnnxNode, x: Tensor, geometry: Geometry, name: str, pad: int | None = None
) -> Tensor:
    """`x` as a stream of windows (pixels, ky, kx, c); the meaning stays that of `x`.

    `pad` is the integer to pad with; by default the one that means 0.
    """
    tensor = x
    if any(geometry.pads):
        value = zero_level(node, x) if pad is None else pad
        tensor = _padded(build, node, holding(build, node, x, value), geometry, name, value)
    if not geometry.needs_window:
        return tensor
    block = Window(
        name=build.fresh(f"{name}_window"),
        height=geometry.padded[0],
        width=geometry.padded[1],
        channels=geometry.channels,
        kernel=geometry.kernel,
        stride=geometry.stride,
        dilation=geometry.dilation,
        itype=tensor.qtype,
    )
    return replace(tensor, name=build.add(block, (tensor.name,), (node.name,)))


def _padded(
    build: Builder, node: OnnxNode, x: Tensor, geometry: Geometry, name: str, value: int
) -> Tensor:
    top, left, bottom, right = geometry.pads
    block = Pad(
        name=build.fresh(f"{name}_pad"),
        height=geometry.height,
        width=geometry.width,
        channels=geometry.channels,
        top=top,
        bottom=bottom,
        left=left,
        right=right,
        value=value,
        itype=x.qtype,
    )
    return replace(x, name=build.add(block, (x.name,), (node.name,)))


def holding(build: Builder, node: OnnxNode, x: Tensor, value: int) -> Tensor:
    """`x` in a type that also holds `value`: the same integers, a bit wider where it must be."""
    old = x.qtype
    if value in range(old.min, old.max + 1, old.step):
        return x
    wide = QType.covering(min(old.min, value), max(old.max, value))
    name = build.fresh(f"{x.name}_wide")
    # Level k is reached at the first of the old integers that is not below it.
    steps = np.arange(old.min + 1, old.max + 1)
    table = (old.min + -(-(steps - old.min) // old.step) * old.step)[None, :]
    block = Threshold(
        name=name,
        channels=x.channels,
        vectors=x.elements // x.channels,
        itype=old,
        otype=wide,
        base=old.min,
        thresholds=build.param(name, "thresholds", table, covering(table)),
    )
    return replace(x, name=build.add(block, (x.name,), (node.name,)), qtype=wide)


def zero_level(node: OnnxNode, x: Tensor, value: Fraction | int = 0) -> int:
    """The integer that means `value`, within the type of `x` or not far beyond; raises UnsupportedLayer."""
    step = x.linear
    length = lcm(len(step.scale), len(step.offset))
    scale, offset = np.resize(step.scale, length), np.resize(step.offset, length)
    zeros = {(value - o) / s if s else Fraction(1, 2) for s, o in zip(scale, offset, strict=True)}
    zero = zeros.pop()
    far = abs(zero) > MAX_ZERO or x.qtype.levels > MAX_ZERO
    inside = x.qtype.min <= zero <= x.qtype.max
    if zeros or zero.denominator != 1 or (far and not inside):
        raise unsupported(
            node,
            f"it pads with {float(value):g}, which no integer of its input ({x.qtype}) means",
            "quantise its input with one whole zero point for all channels (0 for bipolar values), "
            "or use no padding",
        )
    return int(zero)
