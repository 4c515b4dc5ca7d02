"""ConvTranspose: pixels moved apart by zeros, padded, and convolved with the flipped kernel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from codesign.blocks import ZeroInsert
from codesign.graph.arrange import as_picture
from codesign.graph.builder import Builder, Value, need_constant, need_linear, unsupported
from codesign.graph.handlers.linear import filtered
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.spatial import Geometry, holding, zero_level
from codesign.graph.values import Constant, Tensor, canonical


def conv_transpose(
    build: Builder, node: OnnxNode, x: Value, w: Value, b: Value | None = None
) -> Tensor:
    """y = conv(zeros inserted into x, w flipped), padded by dilation*(kernel - 1) - pads."""
    tensor = as_picture(build, node, need_linear(node, x))
    weight = need_constant(node, w, "weight")
    if weight.values.ndim == 3:
        weight = weight.mapped(lambda array: array[:, :, None, :])
    group = int(node.attrs.get("group", 1))
    plain = replace(node, attrs={k: v for k, v in node.attrs.items() if k == "dilations"})
    geometry = Geometry.of(plain, tensor, tuple(weight.values.shape[2:]))
    stride = node.pairs("strides", 1)
    spread = _spread(build, node, tensor, geometry, stride)
    size = [(n - 1) * s + 1 for n, s in zip((geometry.height, geometry.width), stride, strict=True)]
    geometry = replace(geometry, height=size[0], width=size[1])
    geometry = replace(geometry, pads=_pads(build, node, geometry))
    return filtered(build, node, spread, geometry, _flipped(weight, group), group, b)


def _flipped(weight: Constant, group: int) -> Constant:
    """(in, out/group, kh, kw) as (out, in/group, kh, kw), turned by 180 degrees."""

    def turned(array: np.ndarray) -> np.ndarray:
        parts = array.reshape(group, -1, *array.shape[1:]).swapaxes(1, 2)
        return parts.reshape(-1, *parts.shape[2:])[:, :, ::-1, ::-1]

    return weight.mapped(turned)


def _pads(build: Builder, node: OnnxNode, geometry: Geometry) -> tuple[int, int, int, int]:
    """Borders of the spread picture, so that the result has its inferred size."""
    if node.attrs.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID"):
        raise unsupported(node, f"auto_pad {node.attrs['auto_pad']}", "export explicit pads")
    if node.attrs.get("output_shape"):
        raise unsupported(node, "output_shape is set", "export pads and output_padding instead")
    shape = build.shapes[node.outputs[0]][2:]
    given = [int(p) for p in node.attrs.get("pads") or [0] * (2 * len(shape))]
    starts, out = ([0, *given[: len(shape)]][-2:], [1, *shape][-2:])
    before = [e - 1 - p for e, p in zip(geometry.extent, starts, strict=True)]
    sizes = (geometry.height, geometry.width)
    ends = [
        m + e - 1 - n - p for m, e, n, p in zip(out, geometry.extent, sizes, before, strict=True)
    ]
    if min(before + ends) < 0:
        raise unsupported(
            node,
            f"pads {given} cut off more than the kernel reaches",
            "use pads below the size of the kernel",
        )
    return (*before, *ends)


def _spread(
    build: Builder, node: OnnxNode, x: Tensor, geometry: Geometry, stride: tuple[int, int]
) -> Tensor:
    """`x` with zeros between its pixels, (C, H, W)."""
    stride = (1 if geometry.height == 1 else stride[0], 1 if geometry.width == 1 else stride[1])
    if stride == (1, 1):
        return x
    value = zero_level(node, x)
    wide = holding(build, node, x, value)
    block = ZeroInsert(
        name=build.fresh(f"{node.name}_zeros"),
        height=geometry.height,
        width=geometry.width,
        channels=geometry.channels,
        stride=stride,
        value=value,
        itype=wide.qtype,
    )
    shape = (geometry.channels, block.out_height, block.out_width)
    out = build.add(block, (wide.name,), (node.name,))
    return replace(wide, name=out, order=canonical(shape))
