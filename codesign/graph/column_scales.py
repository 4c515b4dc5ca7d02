"""Dense products of inputs on several scales.

Where all scales are small multiples of one unit, the multiples go into the weights. Otherwise the
inputs fall into runs of channels of which that is true, and the product is the sum of the products
of the runs (`codesign.graph.sums`), exact in front of a quantiser whatever their scales.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np

from codesign.graph.arrange import arranged, stream_axes
from codesign.graph.builder import Builder, unsupported
from codesign.graph.exact import gcd
from codesign.graph.handlers.pieces import sliced
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.products import SMALL_RATIO
from codesign.graph.sums import joined, whole
from codesign.graph.values import Tensor, canonical

MAX_RUNS = 8


def runs_of_scale(x: Tensor, axis: int) -> list[range]:
    """Ranges of `axis` (of the ONNX shape) whose scales are small multiples of one unit each."""
    scale = x.linear.scale
    if len(scale) == 1:
        return [range(x.order.shape[axis])]
    along = np.moveaxis(x.order, axis, 0).reshape(x.order.shape[axis], -1) % len(scale)
    runs, start, held = [], 0, set()
    for i, places in enumerate(along):
        grown = held | set(scale[np.unique(places)].tolist())
        if held and not _foldable(grown):
            runs.append(range(start, i))
            start, grown = i, set(scale[np.unique(places)].tolist())
        held = grown
    return [*runs, range(start, len(along))]


def _foldable(scales: set) -> bool:
    unit = gcd(scales)
    return unit == 0 or max(abs(s / unit) for s in scales) <= SMALL_RATIO


def sum_of_runs(
    build: Builder,
    node: OnnxNode,
    x: Tensor,
    axis: int,
    runs: list[range],
    product: Callable[[Tensor, range], Tensor],
) -> Tensor:
    """The sum of `product` over the parts of `x`; raises UnsupportedLayer where runs are many."""
    if len(runs) > MAX_RUNS:
        raise unsupported(
            node,
            f"the channels of its input have {len(runs)} unrelated scales",
            "use one scale per tensor for the activations in front of it "
            "(per-channel scales suit weights and depthwise layers)",
        )
    if stream_axes(x.order) is None:
        x = arranged(build, node, x, canonical(x.order.shape), x.order.shape[0])
    parts = [product(sliced(build, node, x, axis, run.start, len(run)), run) for run in runs]
    build.note(
        f"{node} reads {len(runs)} groups of channels on unrelated scales and is computed as a sum of "
        "as many products; share one quantiser between them to save the sum"
    )

    def plus(a: Tensor, b: Tensor) -> Tensor:
        return joined(build, node, whole(build, node, a), b)

    return reduce(plus, parts)
