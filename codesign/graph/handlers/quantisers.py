"""Quantisers: weights become integers at once, activations become Threshold or Requantise blocks."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from codesign.graph.builder import Builder, Value, need_constant, unsupported
from codesign.graph.chain import Bound, Chain, Clip, Linear, evaluate, extended, period
from codesign.graph.emit import emit_levels
from codesign.graph.exact import is_integer, rationals
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.thresholds import ROUNDING
from codesign.graph.values import ONE, ZERO, Constant, Tensor, linear
from codesign.types import BIPOLAR, QType

MAX_THRESHOLDS = 1 << 22
MAX_BITS = 32


@dataclass(frozen=True)
class Grid:
    """The integers of a quantiser and what they mean: real = scale*(q - zero).

    `low` and `high` are the smallest and largest q; `scale` and `zero` are periodic vectors.
    """

    qtype: QType
    low: int
    high: int
    scale: np.ndarray
    zero: np.ndarray

    @property
    def meaning(self) -> Linear:
        """The chain of a tensor on this grid."""
        return Linear(ONE, ZERO).then(self.scale, -self.scale * self.zero)


def quant(
    build: Builder, node: OnnxNode, x: Value, scale: Value, zero: Value, bits: Value
) -> Value:
    """q = clip(round(x/scale + zero_point), low, high)."""
    signed, narrow = bool(node.attrs.get("signed", 1)), bool(node.attrs.get("narrow", 0))
    width = _whole_bits(node, bits)
    if width == 1 and signed:
        return bipolar_quant(build, node, x, scale, zero)
    qtype = QType(width, signed, narrow=narrow and signed)
    high = qtype.max - (narrow and not signed)
    if isinstance(x, Constant):
        return _constant(node, x, scale, zero, qtype, high)
    s, z = vector(node, x, scale, "scale"), vector(node, x, zero, "zero point")
    check_grid(node, s, z)
    grid = Grid(qtype, qtype.min, high, s, z)
    mode = str(node.attrs.get("rounding_mode", "ROUND")).upper()
    if mode not in ROUNDING:
        raise unsupported(node, f"rounding mode {mode}", f"use one of {', '.join(ROUNDING)}")
    return quantised(build, node, x, grid, ROUNDING[mode])


def bipolar_quant(
    build: Builder, node: OnnxNode, x: Value, scale: Value, zero: Value | None = None
) -> Value:
    """+scale where x/scale >= 0, otherwise -scale."""
    if isinstance(x, Constant):
        s = need_constant(node, scale, "scale").values
        if zero is not None and (
            np.any(s <= 0) or np.any(need_constant(node, zero, "zero").values)
        ):
            raise unsupported(
                node, "one signed bit with a zero point or negative scale", "use BipolarQuant"
            )
        values = np.where(np.asarray(x.values, float) >= 0, 1, -1).astype(np.int64)
        return Constant(values, spread(s, values), BIPOLAR, (*x.sources, node.name))
    z = ZERO if zero is None else vector(node, x, zero, "zero point")
    grid = Grid(BIPOLAR, -1, 1, vector(node, x, scale, "scale"), z)
    check_grid(node, grid.scale, grid.zero)
    return quantised(build, node, x, grid, lambda _: Bound(Fraction(0)))


def quantised(
    build: Builder, node: OnnxNode, x: Tensor, grid: Grid, bound_of: Callable[[int], Bound]
) -> Tensor:
    """`x` on `grid`: the host's own integers at the input, a block, or nothing where none is due.

    `bound_of(k)` is the set of x/scale + zero that reaches level k.
    """
    if x.name is None:
        return _host_integers(build, node, x, grid)
    return levelled(
        build, node, x, grid, bound_of, extended(x.chain, Fraction(1) / grid.scale, grid.zero)
    )


def levelled(
    build: Builder,
    node: OnnxNode,
    x: Tensor,
    grid: Grid,
    bound_of: Callable[[int], Bound],
    chain: Chain,
) -> Tensor:
    """The levels of `grid` that `chain`, about the level itself, reaches by `bound_of`."""
    low, high = _reachable(node, chain, x, grid)
    bounds = [bound_of(k) for k in range(low + grid.qtype.step, high + 1, grid.qtype.step)]
    return emit_levels(build, node, x, chain, [bounds], grid.qtype, low, grid.meaning)


def _reachable(node: OnnxNode, chain: Chain, x: Tensor, grid: Grid) -> tuple[int, int]:
    """Levels that the integers of `x` can come near, at least two; raises UnsupportedLayer."""
    if grid.qtype.step > 1:
        return grid.low, grid.high
    rows = math.lcm(period(chain), x.period)
    ends = [evaluate(chain, q, i) for i in range(rows) for q in x.ends(i)]
    low = min(max(grid.low, math.floor(min(ends)) - 1), grid.high - 1)
    high = max(min(grid.high, math.ceil(max(ends)) + 1), low + 1)
    if rows * (high - low) > MAX_THRESHOLDS:
        raise unsupported(
            node,
            f"{high - low} levels in {rows} channels",
            "quantise to fewer bits (at most 8 is usual), or with one scale per tensor",
        )
    return low, high


def _host_integers(build: Builder, node: OnnxNode, x: Tensor, grid: Grid) -> Tensor:
    """The first quantiser's integers become what the host sends."""
    meaning = grid.meaning
    to_input = _without_idle_clips(x.chain, grid)
    lengths = [len(v) for s in (to_input, meaning) if s for v in (s.scale, s.offset)]
    if to_input is None or max(lengths) > 1 or to_input.scale[0] == 0:
        raise unsupported(
            node,
            "the model's input has no type, and is not just scaled and shifted in front of it",
            "say what the host sends, for instance --input uint8 --input-scale 1/255",
        )
    back = linear(1 / to_input.scale[0], -to_input.offset[0] / to_input.scale[0])
    build.fix_host(grid.qtype, meaning.then(back.scale, back.offset))
    build.note(
        f"the host sends the integers of {node.name}: {grid.qtype}, "
        f"real input = {float(build.host_meaning.scale[0]):.9g}*q + "
        f"{float(build.host_meaning.offset[0]):.9g}"
    )
    return Tensor(build.input_tensor, grid.qtype, (meaning,), x.order, x.channels)


def _without_idle_clips(chain: Chain, grid: Grid) -> Linear | None:
    """The linear part of `chain` where its clips (a Relu, say) change no value of the grid."""
    ends = [evaluate((grid.meaning,), q, 0) for q in (grid.low, grid.high)]
    idle = all(isinstance(s, Clip) and all(s.apply(e, 0) == e for e in ends) for s in chain[1:])
    return chain[0] if idle else None


def _constant(
    node: OnnxNode, x: Constant, scale: Value, zero: Value, qtype: QType, high: int
) -> Constant:
    """Integers of a constant in qonnx's own float32 arithmetic: they ARE the stored weights."""
    from qonnx.custom_op.general.intquant import resolve_rounding_mode

    s = np.asarray(need_constant(node, scale, "scale").values, np.float32)
    z = np.asarray(need_constant(node, zero, "zero point").values, np.float32)
    value = x.values if x.scale is None else x.real.astype(float)
    y = np.clip(np.asarray(value, np.float32) / s + z, np.float32(qtype.min), np.float32(high))
    q = resolve_rounding_mode(str(node.attrs.get("rounding_mode", "ROUND")))(y)
    q = (q - z).astype(np.float64)
    if np.any(q != np.rint(q)):
        raise unsupported(node, "its zero point is not an integer", "use integer zero points")
    kept = qtype if not np.any(z) else None
    return Constant(q.astype(np.int64), spread(s, q), kept, (*x.sources, node.name))


def spread(scale: np.ndarray, values: np.ndarray) -> np.ndarray:
    """`scale` for each element of `values`."""
    return np.broadcast_to(np.asarray(scale, np.float64), values.shape)


def _whole_bits(node: OnnxNode, bits: Value) -> int:
    found = need_constant(node, bits, "bit width").real.ravel()
    whole = all(v == found[0] for v in found) and found[0].denominator == 1
    if not whole or not 1 <= found[0] <= MAX_BITS:
        raise unsupported(
            node,
            f"bit width {[float(v) for v in found][:4]}",
            f"use one whole number of bits for each quantiser, from 1 to {MAX_BITS}",
        )
    return int(found[0])


def vector(node: OnnxNode, x: Tensor, value: Value, what: str) -> np.ndarray:
    """A constant parameter as a periodic vector of the stream; raises UnsupportedLayer."""
    return x.along(need_constant(node, value, what).real)


def check_grid(node: OnnxNode, scale: np.ndarray, zero: np.ndarray) -> None:
    """Raise UnsupportedLayer unless scales are positive and zero points whole."""
    if any(s <= 0 for s in scale):
        raise unsupported(node, "its scale is not positive", "export positive scales")
    if not is_integer(rationals(zero)):
        raise unsupported(node, "its zero point is not an integer", "use integer zero points")
