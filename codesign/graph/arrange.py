"""Where the elements of a tensor lie in its stream, and blocks that put them elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from codesign.blocks import Reorder
from codesign.blocks.base import divisors
from codesign.blocks.walk import places_of
from codesign.graph.builder import Builder, is_canonical, unsupported
from codesign.graph.chain import Chain, Linear
from codesign.graph.exact import periodic
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.values import Tensor, canonical

# Vectors, sizes and strides of a Reorder block.
Course = tuple[int, tuple[int, ...], tuple[int, ...]]


def stream_axes(order: np.ndarray) -> tuple[int, ...] | None:
    """Axes of an ONNX tensor from the slowest to the fastest in the stream, None if mixed up."""
    steps = [
        int(order.take(1, axis).flat[0] - order.flat[0]) if size > 1 else 0
        for axis, size in enumerate(order.shape)
    ]
    axes = tuple(sorted(range(order.ndim), key=lambda axis: -steps[axis]))
    flat = order.transpose(axes).reshape(-1)
    return axes if np.array_equal(flat, np.arange(order.size)) else None


def as_picture(build: Builder, node: OnnxNode, x: Tensor) -> Tensor:
    """`x` (C, H, W) or (C, L) with channels innermost, through a block where it must be."""
    if x.order.ndim not in (2, 3):
        return x
    if is_canonical(x):  # the stream may come from one of other rows: a vector, say
        channels = x.order.shape[0]
        chain = moved_chain(x.chain, np.arange(x.elements), channels)
        return x if channels == x.channels else replace(x, channels=channels, chain=chain)
    return arranged(build, node, x, canonical(x.order.shape), x.order.shape[0])


def arranged(build: Builder, node: OnnxNode, x: Tensor, order: np.ndarray, channels: int) -> Tensor:
    """`x` with the stream order `order`; raises UnsupportedLayer where that is no change of axes."""
    places = np.empty(x.elements, np.int64)
    places[order.reshape(-1)] = x.order.reshape(-1)
    course = course_of(places)
    if course is None:
        raise unsupported(
            node,
            "the elements of its input lie in an order that no change of axes undoes",
            "use fewer reshapes and transposes in front of it",
        )
    return walked(build, node, x, course, order, channels)


def walked(
    build: Builder,
    node: OnnxNode,
    x: Tensor,
    course: Course,
    order: np.ndarray,
    channels: int,
) -> Tensor:
    """Append a Reorder block; `order` is the stream order of its result."""
    vectors, sizes, strides = course
    block = Reorder(
        name=build.fresh(f"{node.name}_order"),
        vectors=vectors,
        sizes=sizes,
        strides=strides,
        itype=x.qtype,
    )
    places = (np.arange(vectors)[:, None] * block.chunk + places_of(sizes, strides)).reshape(-1)
    chain = moved_chain(x.chain, places, channels)
    out = build.add(block, (x.name,), (node.name,))
    return replace(x, name=out, order=order, channels=channels, chain=chain)


def moved_chain(chain: Chain, places: np.ndarray, channels: int) -> Chain:
    """The chain of a stream whose element j is element `places[j]` of the stream before."""

    def moved(values: np.ndarray) -> np.ndarray:
        old, new = places % len(values), np.arange(len(places)) % len(values)
        same = channels % len(values) == 0 and np.array_equal(old, new)
        return values if same else periodic(values[old], channels)

    return tuple(
        Linear(moved(step.scale), moved(step.offset)) if isinstance(step, Linear) else step
        for step in chain
    )


def course_of(places: np.ndarray) -> Course | None:
    """The Reorder whose element j is element `places[j]`, a permutation; None if there is none."""
    for chunk in divisors(len(places)):
        chunks = places.reshape(-1, chunk)
        starts = np.arange(len(chunks))[:, None] * chunk
        if chunks[0].max() < chunk and np.array_equal(chunks, chunks[0] + starts):
            return _axes(chunks[0], len(chunks))
    return None


def _axes(places: np.ndarray, vectors: int) -> Course | None:
    """Sizes and strides, from runs of equal steps, the innermost first."""
    sizes, strides, rest = [], [], places
    while len(rest) > 1 or not sizes:
        steps = np.diff(rest) if len(rest) > 1 else np.ones(1, np.int64)
        breaks = np.flatnonzero(steps != steps[0])
        size = int(breaks[0]) + 1 if len(breaks) else len(rest)
        if len(rest) % size or steps[0] < 0:
            return None
        sizes.insert(0, size)
        strides.insert(0, int(steps[0]))
        rest = rest[::size]
    found = places_of(tuple(sizes), tuple(strides))
    return (vectors, tuple(sizes), tuple(strides)) if np.array_equal(found, places) else None
