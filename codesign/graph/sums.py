"""Sums of two activations: on one integer scale where there is one, else waiting for a reader.

Two scales that are no ratio of small integers need no common scale in front of a quantiser: there
only the order of the sums counts (`codesign.graph.sum_levels`). So such a sum stays a tensor with
`terms` until a quantiser reads it; any other reader gets the exact sum, where it is not too wide.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from codesign.blocks import Add
from codesign.blocks.sum_types import scaled_range, sum_type
from codesign.graph.builder import Builder, Value, covering, unsupported
from codesign.graph.chain import Linear, wide
from codesign.graph.exact import gcd, periodic
from codesign.graph.logits import scaled_block
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.values import IDENTITY, Tensor

SMALL_MULTIPLIER = 255
# A factor of an exact sum, and its sum, at the widest.
MULTIPLIER_BITS = 31
SUM_BITS = 48

CURE = (
    "share one quantiser between both inputs of the sum (one QuantIdentity in Brevitas), "
    "or give each of them a quantiser of at most 8 bits"
)


def joined(build: Builder, node: OnnxNode, a: Tensor, b: Tensor) -> Tensor:
    """a + b, two tensors with affine meanings and one stream order."""
    pair = _multipliers(a, b)
    if pair is not None and max(max(abs(v) for v in m) for m in pair[0]) <= SMALL_MULTIPLIER:
        return _exact(build, node, a, b, *pair)
    name = build.fresh(f"{node.name}_sum")
    build.sums[name] = None
    return Tensor(name, None, (IDENTITY,), a.order, a.channels, (a, b))


def whole(build: Builder, node: OnnxNode, value: Value | None) -> Value | None:
    """`value` as it is, or as the exact sum of its terms; raises UnsupportedLayer where too wide."""
    if not isinstance(value, Tensor) or not value.terms:
        return value
    if build.sums[value.name] is None:
        build.sums[value.name] = _exact_wide(build, node, *value.terms)
    total = build.sums[value.name]
    head = total.linear.then(value.chain[0].scale, value.chain[0].offset)
    return replace(total, chain=(head, *value.chain[1:]), order=value.order)


def add_terms(
    build: Builder,
    node: OnnxNode,
    terms: tuple[Tensor, Tensor],
    factors: tuple[np.ndarray, np.ndarray],
) -> Tensor:
    """Append a*factors[0] + b*factors[1]; factors (1 or a period) are integers.

    The result means itself: its chain is the identity.
    """
    if max(len(f) for f in factors) > 1:
        terms = tuple(
            t
            if all(v == 1 for v in f)
            else scaled_block(build, node, t, _int64(f), np.zeros(1, int))
            for t, f in zip(terms, factors, strict=True)
        )
        factors = (np.ones(1, int), np.ones(1, int))
    a, b = terms
    scales = (int(factors[0][0]), int(factors[1][0]))
    block = Add(
        name=build.fresh(node.name),
        channels=a.channels,
        vectors=a.elements // a.channels,
        itypes=(a.qtype, b.qtype),
        scales=scales,
        otype=sum_type(scaled_range(a.qtype, scales[0]), scaled_range(b.qtype, scales[1])),
    )
    out = build.add(block, (a.name, b.name), (node.name,))
    return Tensor(out, block.otype, (IDENTITY,), a.order, a.channels)


def _multipliers(a: Tensor, b: Tensor) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray] | None:
    """Integers ma, mb and scales u with a = ma*u and b = mb*u; None where ratios are huge.

    One pair of integers serves all channels where their scales have one ratio.
    """
    left, right = a.linear.scale, b.linear.scale
    ratios = wide(left, right, _pairs)
    units = np.array([gcd(pair) or Fraction(1) for pair in ratios], object)
    both = [
        np.array([int(p[i] / u) for p, u in zip(ratios, units, strict=True)], object)
        for i in (0, 1)
    ]
    if all(np.all(m == m[0]) for m in both):
        both = [m[:1] for m in both]
    if max(abs(v).bit_length() for m in both for v in m.tolist()) > MULTIPLIER_BITS:
        return None
    return (both[0], both[1]), units


def _pairs(a: np.ndarray, b: np.ndarray) -> list[tuple[Fraction, Fraction]]:
    return list(zip(a, b, strict=True))


def _exact(
    build: Builder,
    node: OnnxNode,
    a: Tensor,
    b: Tensor,
    factors: tuple[np.ndarray, np.ndarray],
    units: np.ndarray,
) -> Tensor:
    total = add_terms(build, node, (a, b), factors)
    offset = wide(a.linear.offset, b.linear.offset, np.add)
    return replace(total, chain=(Linear(periodic(units), offset),))


def _exact_wide(build: Builder, node: OnnxNode, a: Tensor, b: Tensor) -> Tensor:
    """The exact sum; raises UnsupportedLayer where it needs too many bits."""
    pair = _multipliers(a, b)
    bits = 0 if pair is None else max(_bits(t, m) for t, m in zip((a, b), pair[0], strict=True))
    if pair is None or bits >= SUM_BITS:
        found = [float(v[0]) for v in (a.linear.scale, b.linear.scale)]
        raise unsupported(
            node,
            f"it reads a sum of {a.qtype} and {b.qtype} with the scales {found[0]:.6g} and "
            f"{found[1]:.6g}, which takes over {SUM_BITS} bits on a common scale",
            CURE,
        )
    return _exact(build, node, a, b, *pair)


def _bits(x: Tensor, factors: np.ndarray) -> int:
    ends = np.array([int(f) * end for f in factors for end in (x.qtype.min, x.qtype.max)], object)
    return covering(ends).bits


def _int64(values: np.ndarray) -> np.ndarray:
    return np.array([int(v) for v in values], np.int64)
