"""Concat, Split and Slice: tensors put together and taken apart along one axis."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from math import prod

import numpy as np

from codesign.blocks import Concat, Slice, Window
from codesign.graph.arrange import arranged, as_picture, moved_chain, stream_axes
from codesign.graph.builder import (
    Builder,
    Value,
    need_constant,
    need_integers,
    need_linear,
    unsupported,
)
from codesign.graph.chain import Linear
from codesign.graph.exact import periodic
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.spatial import need_picture
from codesign.graph.values import Constant, Tensor, canonical


def concat(build: Builder, node: OnnxNode, *values: Value) -> Value:
    """Tensors one behind the other along one axis; each element keeps its own scale."""
    if all(isinstance(v, Constant) for v in values):
        parts = [v.real for v in values if isinstance(v, Constant)]
        return Constant(np.concatenate(parts, axis=int(node.attrs["axis"])))
    tensors = [need_linear(node, v) for v in values]
    axis = _axis(node, int(node.attrs["axis"]), tensors[0])
    return reduce(lambda a, b: _joined(build, node, a, b, axis), tensors)


def _joined(build: Builder, node: OnnxNode, a: Tensor, b: Tensor, axis: int) -> Tensor:
    axes = stream_axes(a.order)
    if axes is None or axes != stream_axes(b.order):
        axes = (axis,)
    vectors = prod(a.order.shape[i] for i in axes[: axes.index(axis)])
    n, m = a.elements // vectors, b.elements // vectors
    block = Concat(
        name=build.fresh(node.name),
        chunks=(n, m),
        vectors=vectors,
        itypes=(a.qtype, b.qtype),
    )
    out = build.add(block, (a.name, b.name), (node.name,))
    places = (
        a.order // n * (n + m) + a.order % n,
        b.order // m * (n + m) + b.order % m + n,
    )
    order = np.concatenate(places, axis=axis)
    channels = n + m if axes[-1] == axis and len(axes) > 1 or order.ndim == 1 else a.channels
    meaning = _both(a, b, (vectors, n, m), channels)
    joint = Tensor(out, block.otype, (meaning,), order, channels)
    build.parts[out] = (joint, axis, a, b)
    return joint


def _part(build: Builder, x: Tensor, axis: int, start: int, count: int) -> Tensor | None:
    """The tensor that a concat put at this place of `x`, unless it changed since."""
    joint, along, a, b = build.parts.get(x.name, (None,) * 4)
    if joint is None or along != axis or x.chain is not joint.chain or x.order is not joint.order:
        return None
    size = a.order.shape[axis]
    for tensor, first in ((a, start), (b, start - size)):
        if 0 <= first and first + count <= tensor.order.shape[axis]:
            whole = count == tensor.order.shape[axis]
            return tensor if whole else _part(build, tensor, axis, first, count)
    return None


def _both(a: Tensor, b: Tensor, layout: tuple[int, int, int], channels: int) -> Linear:
    """What the integers of both mean, as periodic vectors of the joint stream."""
    vectors, n, m = layout

    def merged(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        if len(x) == len(y) == 1 and x[0] == y[0]:
            return x
        # Periods that divide the chunks repeat with them: one round is enough.
        rounds = 1 if n % len(x) == 0 and m % len(y) == 0 else vectors
        parts = np.resize(x, rounds * n).reshape(rounds, n), np.resize(y, rounds * m)
        joint = np.concatenate([parts[0], parts[1].reshape(rounds, m)], axis=1)
        return periodic(joint.reshape(-1), channels)

    left, right = a.linear, b.linear
    return Linear(merged(left.scale, right.scale), merged(left.offset, right.offset))


def split(build: Builder, node: OnnxNode, x: Value, *_: Value) -> tuple[Tensor, ...]:
    """One Slice block for each part; the inferred shapes say how large they are."""
    tensor = need_integers(node, x)
    axis = _axis(node, int(node.attrs.get("axis", 0)), tensor)
    sizes = [build.shapes[name][axis + 1] for name in node.outputs]
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(
        sliced(build, node, tensor, axis, start, size)
        for start, size in zip(starts, sizes, strict=True)
    )


def slice_(build: Builder, node: OnnxNode, x: Value, *bounds: Value) -> Value:
    """A range of some axes; steps over 1 only along height and width of a picture."""
    starts, ends, axes, steps = _bounds(node, bounds)
    if isinstance(x, Constant):
        index = [slice(None)] * x.values.ndim
        for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
            index[axis] = slice(start, end, step)
        return x.mapped(lambda array: array[tuple(index)])
    tensor = need_integers(node, x)
    strides = [1] * tensor.order.ndim
    for number, start, end, step in zip(axes, starts, ends, steps, strict=True):
        axis = _axis(node, number, tensor)
        kept = range(*slice(start, end, step).indices(tensor.order.shape[axis]))
        if step < 1 or not kept:
            raise unsupported(node, f"it takes {kept}", "take elements in ascending order")
        tensor = sliced(build, node, tensor, axis, kept.start, kept[-1] + 1 - kept.start)
        strides[axis] = step
    return _strided(build, node, tensor, tuple(strides)) if max(strides) > 1 else tensor


def _bounds(node: OnnxNode, bounds: tuple[Value, ...]) -> list[list[int]]:
    """Starts, ends, axes and steps from the inputs, or from the attributes of old opsets."""
    if bounds:
        found = [
            None if v is None else need_constant(node, v, "range").values.ravel().tolist()
            for v in bounds
        ]
    else:
        found = [node.attrs[k] for k in ("starts", "ends")] + [node.attrs.get("axes")]
    starts, ends, axes, steps = (*found, None, None)[:4]
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    return [[int(v) for v in values] for values in (starts, ends, axes, steps)]


def sliced(build: Builder, node: OnnxNode, x: Tensor, axis: int, start: int, count: int) -> Tensor:
    """Elements `start` to `start + count` of one axis."""
    if count == x.order.shape[axis]:
        return x
    part = _part(build, x, axis, start, count)
    if part is not None:
        return part
    axes = stream_axes(x.order)
    if axes is None:
        x = arranged(build, node, x, canonical(x.order.shape), x.order.shape[0])
        axes = stream_axes(x.order)
    position = axes.index(axis)
    vectors = prod(x.order.shape[i] for i in axes[:position])
    inner = prod(x.order.shape[i] for i in axes[position + 1 :])
    chunk, first, kept = x.elements // vectors, start * inner, count * inner
    block = Slice(
        name=build.fresh(f"{node.name}_part"),
        chunk=chunk,
        start=first,
        count=kept,
        vectors=vectors,
        itype=x.qtype,
    )
    out = build.add(block, (x.name,), (node.name,))
    order = x.order.take(range(start, start + count), axis)
    order = order // chunk * kept + order % chunk - first
    places = (np.arange(vectors)[:, None] * chunk + first + np.arange(kept)).reshape(-1)
    channels = count if position == len(axes) - 1 else x.channels
    chain = moved_chain(x.chain, places, channels)
    return Tensor(out, x.qtype, chain, order, channels)


def _strided(build: Builder, node: OnnxNode, x: Tensor, strides: tuple[int, ...]) -> Tensor:
    """Every so many rows and columns: a window of one pixel."""
    tensor = as_picture(build, node, x)
    if strides[0] != 1 or len(strides) not in (2, 3):
        raise unsupported(node, f"it takes steps {strides}", "take steps along height and width")
    need_picture(node, tensor)
    channels, *size = tensor.order.shape
    block = Window(
        name=build.fresh(f"{node.name}_steps"),
        height=size[0] if len(size) == 2 else 1,
        width=size[-1],
        channels=channels,
        kernel=(1, 1),
        stride=strides[1:] if len(size) == 2 else (1, strides[1]),
        dilation=(1, 1),
        itype=tensor.qtype,
    )
    shape = build.shapes[node.outputs[0]][1:]
    out = build.add(block, (tensor.name,), (node.name,))
    return replace(tensor, name=out, order=canonical(shape))


def _axis(node: OnnxNode, number: int, x: Tensor) -> int:
    """The axis without the batch; raises UnsupportedLayer for the batch itself."""
    axis = number % (x.order.ndim + 1) - 1
    if axis < 0:
        raise unsupported(node, "it works along the batch axis", "keep the first axis as the batch")
    return axis
