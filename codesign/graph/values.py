"""What the importer knows of an ONNX tensor: a constant, or integers and what they mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

import numpy as np

from codesign.graph.chain import Chain, Linear, period
from codesign.graph.exact import periodic, rationals
from codesign.types import QType


@dataclass(frozen=True)
class Constant:
    """A tensor known at import: real value = values * scale, exactly.

    `scale` (float64 holding the stored float32, broadcast to the shape of `values`) is None for a
    plain float tensor; otherwise `values` are integers of type `qtype`. `sources` names the
    initialisers and quantiser nodes it came from. Shapes are ONNX shapes, with all axes.
    """

    values: np.ndarray
    scale: np.ndarray | None = None
    qtype: QType | None = None
    sources: tuple[str, ...] = ()

    @property
    def real(self) -> np.ndarray:
        """Exact values, an object array of rationals."""
        exact = rationals(self.values)
        return exact if self.scale is None else exact * rationals(self.scale)

    def mapped(self, function: Callable[[np.ndarray], np.ndarray]) -> Constant:
        """A change of shape applied to values and scales alike."""
        scale = None if self.scale is None else function(self.scale)
        return replace(self, values=function(self.values), scale=scale)


@dataclass(frozen=True)
class Tensor:
    """An ONNX tensor carried by integers: real = chain(integer), exactly.

    `name` is the integer tensor, its elements in stream order of type `qtype`. `order` has the
    ONNX shape without the batch axis and holds the stream index of each element. `channels` is the
    innermost size of the stream. While `name` is None nothing is quantised yet: the chain then
    starts from the model's real input. With `terms` there is no block yet either: the chain starts
    from the sum of their real values (`codesign.graph.sums`).
    """

    name: str | None
    qtype: QType | None
    chain: Chain
    order: np.ndarray
    channels: int
    terms: tuple[Tensor, ...] = ()

    @property
    def linear(self) -> Linear | None:
        """The affine map when there is nothing else in the chain."""
        return self.chain[0] if len(self.chain) == 1 else None

    @property
    def elements(self) -> int:
        """Elements of a frame."""
        return self.order.size

    @property
    def period(self) -> int:
        """After how many stream indices the meaning repeats."""
        return lcm(*(period(x.chain) for x in (self, *self.terms)))

    def ends(self, index: int) -> list[Fraction]:
        """Least and largest value that the chain starts from at stream index `index`."""
        if not self.terms:
            return [Fraction(self.qtype.min), Fraction(self.qtype.max)]
        pairs = [
            sorted(term.linear.apply(Fraction(q), index) for q in (term.qtype.min, term.qtype.max))
            for term in self.terms
        ]
        return [sum(values, Fraction(0)) for values in zip(*pairs, strict=True)]

    def along(self, values: np.ndarray) -> np.ndarray:
        """`values` (broadcastable to the batched ONNX shape) as a periodic vector of the stream."""
        values = np.asarray(values, object)
        kinds = {v: i for i, v in enumerate(dict.fromkeys(values.ravel().tolist()))}
        numbers = np.array([kinds[v] for v in values.ravel().tolist()]).reshape(values.shape)
        stream = np.empty(self.elements, np.int64)
        spread = np.broadcast_to(numbers, (1, *self.order.shape))
        stream[self.order.reshape(-1)] = spread.reshape(-1)
        return rationals(list(kinds))[periodic(stream, self.channels)]


ONE, ZERO = rationals([1]), rationals([0])
IDENTITY = Linear(ONE, ZERO)


def linear(scale: Fraction | int = 1, offset: Fraction | int = 0) -> Linear:
    """A per-tensor affine step."""
    return Linear(rationals([scale]), rationals([offset]))


def canonical(shape: tuple[int, ...]) -> np.ndarray:
    """Stream index of each element of an ONNX tensor (C, spatial...): channels innermost."""
    if len(shape) < 2:
        return np.arange(int(np.prod(shape))).reshape(shape)
    pixels = int(np.prod(shape[1:]))
    order = np.arange(pixels)[None, :] * shape[0] + np.arange(shape[0])[:, None]
    return order.reshape(shape)
