"""Pooling: the largest on the integers, the average as a sum whose division waits."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from codesign.blocks import MaxPool, SumPool
from codesign.graph.arrange import as_picture
from codesign.graph.builder import Builder, Value, need_linear, need_tensor, unsupported
from codesign.graph.exact import rationals
from codesign.graph.handlers.elementwise import scaled
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.spatial import Geometry, windowed
from codesign.graph.values import ZERO, Tensor, canonical
from codesign.types import QType


def max_pool(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """The largest integer is the largest real where the chain rises."""
    tensor = need_tensor(node, x)
    if tensor.name is None or not all(step.increasing for step in tensor.chain):
        raise unsupported(
            node,
            "its input has no integers yet, or falls where they rise (a negative scale)",
            "put the quantiser in front of the pool",
        )
    tensor = as_picture(build, node, tensor)
    geometry = Geometry.of(node, tensor, node.pairs("kernel_shape", 1))
    name = f"{tensor.name}_max"
    source = windowed(build, node, tensor, geometry, name, pad=tensor.qtype.min)
    block = MaxPool(
        name=build.fresh(name),
        channels=geometry.channels,
        taps=geometry.kernel[0] * geometry.kernel[1],
        vectors=geometry.pixels,
        itype=tensor.qtype,
    )
    out = build.add(block, (source.name,), (node.name,))
    order = canonical(build.shapes[node.outputs[0]][1:])
    return replace(tensor, name=out, order=order)


def average_pool(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """Sum over each window; 1/taps goes into the scale.

    Where windows count different numbers of pixels, at a border, each output pixel has its scale.
    """
    tensor = as_picture(build, node, need_linear(node, x))
    geometry = Geometry.of(node, tensor, node.pairs("kernel_shape", 1))
    mean = _average(build, node, tensor, geometry)
    share = _shares(geometry, _counted(node, geometry)).reshape(1, 1, *mean.order.shape[1:])
    if np.all(share == 1):
        return mean
    return scaled(mean, mean.along(Fraction(1) / rationals(share)), ZERO)


def _counted(node: OnnxNode, geometry: Geometry) -> tuple[slice, slice]:
    """Rows and columns of the padded picture that an average counts: never those of ceil_mode."""
    top, left, *_ = geometry.pads
    picture = (top, top + geometry.height), (left, left + geometry.width)
    if not node.attrs.get("count_include_pad", 0):
        return tuple(slice(*ends) for ends in picture)
    pads = [int(p) for p in node.attrs.get("pads") or (0,) * 4]
    below, right = (pads[2], pads[3]) if len(pads) == 4 else (0, pads[1])
    return slice(0, picture[0][1] + below), slice(0, picture[1][1] + right)


def _shares(geometry: Geometry, counted: tuple[slice, slice]) -> np.ndarray:
    """Pixels of each window (oh, ow) that count, as a fraction of its taps."""
    inside = np.zeros(geometry.padded, np.int64)
    inside[counted] = 1
    windows = np.lib.stride_tricks.sliding_window_view(inside, geometry.extent)
    (sv, sh), (dv, dh) = geometry.stride, geometry.dilation
    counts = windows[::sv, ::sh, ::dv, ::dh].sum(axis=(2, 3))
    taps = geometry.kernel[0] * geometry.kernel[1]
    return np.array([Fraction(int(n), taps) for n in counts.ravel()], object)


def global_average_pool(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """One window over the whole picture."""
    tensor = as_picture(build, node, need_linear(node, x))
    return _average(build, node, tensor, _whole(node, tensor))


def reduce_mean(build: Builder, node: OnnxNode, x: Value, axes: Value | None = None) -> Tensor:
    """Mean over all spatial axes, channels first or last."""
    tensor = need_linear(node, x)
    rank = tensor.order.ndim + 1
    found = node.attrs.get("axes") if axes is None else axes.values.ravel().tolist()
    axes_found = sorted(int(a) % rank for a in found or range(rank))
    if rank > 2 and axes_found == list(range(1, rank - 1)):  # channels last
        tensor = replace(tensor, order=np.moveaxis(tensor.order, -1, 0))
    elif axes_found != list(range(2, rank)):
        raise unsupported(
            node, f"it averages over axes {found}", "average over all spatial axes, no others"
        )
    tensor = as_picture(build, node, tensor)
    return _average(build, node, tensor, _whole(node, tensor))


def reduce_sum(build: Builder, node: OnnxNode, x: Value, axes: Value | None = None) -> Tensor:
    """The mean times the number of pixels."""
    mean = reduce_mean(build, node, x, axes)
    pixels = need_linear(node, x).elements // mean.elements
    return scaled(mean, rationals([pixels]), ZERO)


def _whole(node: OnnxNode, x: Tensor) -> Geometry:
    """The window that covers the picture."""
    plain = replace(node, attrs={})
    geometry = Geometry.of(plain, x, (1, 1))
    return replace(geometry, kernel=(geometry.height, geometry.width))


def _average(build: Builder, node: OnnxNode, x: Tensor, geometry: Geometry) -> Tensor:
    taps = geometry.kernel[0] * geometry.kernel[1]
    name = f"{x.name}_sum"
    source = windowed(build, node, x, geometry, name)
    itype = source.qtype
    otype = QType.covering(min(taps * itype.min, 0), max(taps * itype.max, 0))
    block = SumPool(
        name=build.fresh(name),
        channels=geometry.channels,
        taps=taps,
        vectors=geometry.pixels,
        itype=itype,
        otype=otype,
    )
    out = build.add(block, (source.name,), (node.name,))
    order = canonical(build.shapes[node.outputs[0]][1:])
    step = x.linear
    summed = replace(
        x, name=out, qtype=otype, order=order, chain=(replace(step, offset=step.offset * taps),)
    )
    return scaled(summed, rationals([Fraction(1, taps)]), ZERO)
