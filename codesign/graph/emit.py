"""Blocks for a quantiser: thresholds, or multiply-add-shift where that is equal and cheaper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import lcm

import numpy as np

from codesign.blocks import Requantise, Threshold
from codesign.blocks.base import ParamRef
from codesign.blocks.quantiser import FEW_THRESHOLDS
from codesign.graph.builder import Builder, covering, unsupported
from codesign.graph.chain import Chain, Linear, period
from codesign.graph.ir import Decision
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.requantise import Affine, affine_of
from codesign.graph.smooth import Smooth, leaning
from codesign.graph.sum_levels import separable, sum_levels
from codesign.graph.sums import add_terms, whole
from codesign.graph.thresholds import Bounds, Levels, levels_of, pruned
from codesign.graph.values import IDENTITY, Tensor, linear
from codesign.types import BIPOLAR, QType

LUT_ROM_BITS = 64


def emit_levels(
    build: Builder,
    node: OnnxNode,
    x: Tensor,
    chain: Chain,
    bounds: Bounds,
    otype: QType,
    base: int,
    meaning: Linear,
) -> Tensor:
    """The levels of the integers of `x`, which mean `meaning`; appends a block unless none is due.

    `chain` is the argument of the quantiser, `bounds` its upper sets, one for each level above
    `base`.
    """
    rows = lcm(len(bounds), period(chain), x.period)
    if x.terms and not separable(x.terms, bounds, rows):
        x = whole(build, node, replace(x, chain=chain))
        chain = x.chain
    terms = tuple((t.name, t.linear) for t in x.terms) or ((x.name, IDENTITY),)
    x, levels, slope = _leveller(build, node, x, chain, bounds, rows, base, otype.step)
    shift = _relabelled(levels, x.qtype)
    if shift is None:
        name = _emit(build, node, x, levels, otype, rows, slope)
        result = replace(x, name=name, qtype=otype, chain=(meaning,))
    else:
        moved = linear(1, shift).then(meaning.scale, meaning.offset)
        result = replace(x, chain=(moved,))
    build.decisions[node.outputs[0]] = Decision(terms, chain, bounds, base, otype.step, shift)
    return result


def _leveller(
    build: Builder,
    node: OnnxNode,
    x: Tensor,
    chain: Chain,
    bounds: Bounds,
    rows: int,
    base: int,
    step: int,
) -> tuple[Tensor, Levels, np.ndarray]:
    """Integers, their thresholds, and levels per integer step; for a sum, a block adds its terms."""
    if not x.terms:

        def levels_by(steps: Chain) -> Levels:
            return levels_of(steps, bounds, rows, x.qtype, base, step)

        levels = _proven(node, chain, levels_by)
        return x, levels, _slope(chain, len(levels.table))
    found = sum_levels(x.terms, chain, bounds, rows, base, step)
    _proven(node, chain, lambda c: sum_levels(x.terms, c, bounds, rows, base, step).levels)
    total = replace(add_terms(build, node, x.terms, found.factors), order=x.order)
    levels = pruned(found.levels, total.qtype)
    return total, levels, _slope(chain, len(levels.table)) * found.unit[: len(levels.table)]


def _proven(node: OnnxNode, chain: Chain, levels_by: Callable[[Chain], Levels]) -> Levels:
    """The thresholds; where boundaries are irrational, those that both their sides agree on."""
    levels = levels_by(chain)
    if any(isinstance(s, Smooth) for s in chain):
        for lean in (-1, 1):
            other = levels_by(leaning(chain, lean))
            same = levels.base == other.base and np.array_equal(levels.table, other.table)
            if not same or np.any(levels.sign != other.sign):
                raise unsupported(
                    node,
                    "an integer of its input lies too close to a boundary of the function in front",
                    "change the scale of the quantiser by a trifle",
                )
    return levels


def _relabelled(levels: Levels, itype: QType) -> int | None:
    """c where every integer x becomes the level x + c, so that no hardware is needed."""
    rows, count = levels.table.shape
    if rows > 1 or count * levels.step != itype.max - itype.min:
        return None
    x = np.arange(itype.min, itype.max + 1, itype.step)
    moved = levels.apply(x[None]) - x
    return int(moved[0, 0]) if np.all(moved == moved[0, 0]) else None


def _emit(
    build: Builder,
    node: OnnxNode,
    x: Tensor,
    levels: Levels,
    otype: QType,
    rows: int,
    slope: np.ndarray,
) -> str:
    """Append the cheaper block; returns its tensor."""
    if levels.table.shape[1] > FEW_THRESHOLDS:
        affine = affine_of(levels, x.qtype, otype, slope)
        if affine is not None and _cheaper(affine, levels, x.qtype):
            return _requantise(build, node, x, affine, otype, rows)
    return _threshold(build, node, x, levels, otype, rows)


def _slope(chain: Chain, rows: int) -> np.ndarray:
    """Levels per integer step where nothing clips."""
    slope = np.ones(1)
    for step in chain:
        if isinstance(step, Linear):
            length = lcm(len(slope), len(step.scale))
            scale = np.array([float(v) for v in step.scale])
            slope = np.resize(slope, length) * np.resize(scale, length)
    return np.resize(slope, rows)


def _cheaper(affine: Affine, levels: Levels, itype: QType) -> bool:
    """LUTs of one lane: comparators of a binary search, or a multiplier and adder; with tables."""
    rows, count = levels.table.shape
    m_bits, b_bits = covering(affine.multiplier).bits, covering(affine.bias).bits
    thresholds = itype.bits * (count.bit_length() + count * rows / LUT_ROM_BITS)
    multiply = itype.bits * m_bits + b_bits + (m_bits + b_bits) * rows / LUT_ROM_BITS
    return multiply < thresholds


def _layout(x: Tensor, rows: int) -> dict[str, int]:
    """Channels and vectors of the block: the stream's own, or one channel an element.

    Where one row of the table serves all, a whole row of pixels may be worked on at once: a picture
    of one channel is not bound to one lane.
    """
    channels = lcm(x.channels, rows)
    row = channels * x.order.shape[-1] if x.order.ndim > 1 else x.elements
    if rows == 1 and x.elements % row == 0:
        channels = row
    return {"channels": channels, "vectors": x.elements // channels}


def _threshold(
    build: Builder, node: OnnxNode, x: Tensor, levels: Levels, otype: QType, rows: int
) -> str:
    name = build.fresh(f"{x.name}_thr")
    layout = _layout(x, rows)
    sign: ParamRef | None = None
    if np.any(levels.sign < 0):
        signs = np.resize(levels.sign, layout["channels"])
        sign = build.param(name, "sign", signs, BIPOLAR)
    rows_of_table = _repeated(levels.table, layout["channels"])
    table = build.param(name, "thresholds", rows_of_table, covering(levels.table))
    block = Threshold(
        name=name,
        **layout,
        itype=x.qtype,
        otype=otype,
        base=levels.base,
        thresholds=table,
        sign=sign,
    )
    return build.add(block, (x.name,), _sources(build, node))


def _requantise(
    build: Builder, node: OnnxNode, x: Tensor, affine: Affine, otype: QType, rows: int
) -> str:
    name = build.fresh(f"{x.name}_req")
    layout = _layout(x, rows)
    multiplier, bias = (_repeated(v, layout["channels"]) for v in (affine.multiplier, affine.bias))
    block = Requantise(
        name=name,
        **layout,
        itype=x.qtype,
        otype=otype,
        multiplier=build.param(name, "multiplier", multiplier, covering(multiplier)),
        bias=build.param(name, "bias", bias, covering(bias)),
        shift=affine.shift,
        ties_even=affine.ties_even,
    )
    return build.add(block, (x.name,), _sources(build, node))


def _repeated(values: np.ndarray, channels: int) -> np.ndarray:
    """A row for each channel, from rows that repeat; one row for all stays one."""
    return values if len(values) == 1 else np.resize(values, (channels, *values.shape[1:]))


def _sources(build: Builder, node: OnnxNode) -> tuple[str, ...]:
    """The quantiser node and the initialisers of its parameters."""
    return (node.name, *(i for i in node.inputs[1:] if i))
