"""A walk over the beats of a buffered chunk: nested loops with a stride each."""

from __future__ import annotations

from itertools import product

import numpy as np

from codesign.program import Read, Segment

# (size, stride) of each loop in beats, the outermost first.
Walk = tuple[tuple[int, int], ...]


def places_of(sizes: tuple[int, ...], strides: tuple[int, ...]) -> np.ndarray:
    """Places that nested loops visit, in order; the last loop is the innermost."""
    places = np.zeros(1, np.int64)
    for size, stride in zip(sizes, strides, strict=True):
        places = (places[:, None] + np.arange(size) * stride).reshape(-1)
    return places


def walk_of(sizes: tuple[int, ...], strides: tuple[int, ...], lanes: int) -> Walk:
    """The loops over beats of `lanes` elements: none of size 1, two in one where they join."""
    if lanes > 1:
        sizes = (*sizes[:-1], sizes[-1] // lanes)
        strides = (*(s // lanes for s in strides[:-1]), 1)
    walk: list[tuple[int, int]] = []
    for size, stride in zip(sizes, strides, strict=True):
        if size == 1:
            continue
        if walk and walk[-1][1] == size * stride:
            walk[-1] = (walk[-1][0] * size, stride)
        else:
            walk.append((size, stride))
    return tuple(walk) or ((1, 0),)


def walk_segments(walk: Walk, port: str, beats: int) -> tuple[Segment, ...]:
    """Events that look at the beats of `port` in this order; the last one releases all `beats`."""
    *outer, (size, stride) = walk
    starts = [
        sum(i * s for i, (_, s) in zip(index, outer, strict=True))
        for index in product(*(range(n) for n, _ in outer))
    ]
    last = len(starts) - 1
    return tuple(
        Segment(size, (Read(port, start, stride, 0, beats if i == last else 0),), ("out0",))
        for i, start in enumerate(starts)
    )
