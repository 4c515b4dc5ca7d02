"""Logits on one common scale, and the arg-max over them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from math import lcm

import numpy as np

from codesign.blocks import ArgMax, Requantise
from codesign.graph.arrange import arranged
from codesign.graph.builder import Builder, covering, unsupported
from codesign.graph.exact import gcd
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.values import IDENTITY, Tensor, linear
from codesign.types import QType

MULTIPLIER_BITS = 32
# What hw/requantise.sv gives at the widest, and the widest sum that is cut down to it.
RESULT_BITS = 32
SUM_BITS = 62
FLOAT32_ROUNDING = Fraction(1, 1 << 25)


def emit_arg_max(build: Builder, node: OnnxNode, x: Tensor) -> Tensor:
    """Append the arg-max over `x`, whose affine meaning only matters where channels differ."""
    natural = np.arange(x.elements).reshape(x.order.shape)
    if not np.array_equal(x.order, natural):  # the index counts in the order of ONNX
        x = arranged(build, node, x, natural, x.elements)
    scores = common_scale(build, node, x, drop_offset=True)
    otype = QType.covering(0, scores.elements - 1)
    name = build.fresh("argmax")
    block = ArgMax(name=name, classes=x.elements, vectors=1, itype=scores.qtype, otype=otype)
    out = build.add(block, (scores.name,), (node.name,))
    build.class_tensor = out
    return Tensor(out, otype, (IDENTITY,), np.zeros(1, np.int64), 1)


def common_scale(build: Builder, node: OnnxNode, x: Tensor, drop_offset: bool) -> Tensor:
    """`x` with one positive scale and one offset for all channels; a block only if it has not.

    `drop_offset`: a common offset does not matter to the reader (arg-max) and is left out.
    """
    step = x.linear
    if len(step.scale) == len(step.offset) == 1 and step.scale[0] > 0:
        return x
    length = lcm(len(step.scale), len(step.offset))
    scale, offset = np.resize(step.scale, length), np.resize(step.offset, length)
    shift = offset[0] if drop_offset else Fraction(0)
    unit = _unit(build, node, x, scale, offset - shift)
    if unit == 0:
        raise unsupported(node, "all its values are constant", "check the scales of the model")
    multiplier, bias = _rounded(scale / unit), _rounded((offset - shift) / unit)
    bits = _ends(x, multiplier, bias).bits
    if bits > SUM_BITS:
        raise unsupported(
            node,
            f"its values on one scale need {bits} bits",
            "use one scale per tensor in front of it, and biases of the size of its sums",
        )
    dropped = max(0, bits - RESULT_BITS)
    out = scaled_block(build, node, x, multiplier, bias, dropped)
    return replace(out, chain=(linear(unit * (1 << dropped), shift),))


def _unit(
    build: Builder, node: OnnxNode, x: Tensor, scale: np.ndarray, offset: np.ndarray
) -> Fraction:
    """Largest scale on which all are whole; if that is too fine, one finer than float32 needs."""
    exact = gcd([*scale, *offset])
    if exact == 0 or max(abs(v / exact) for v in (*scale, *offset)) < 1 << (MULTIPLIER_BITS - 1):
        return exact
    reach = max(abs(x.qtype.min), x.qtype.max)
    largest = max(abs(s) * reach + abs(o) for s, o in zip(scale, offset, strict=True))
    fine = largest * FLOAT32_ROUNDING / (reach + 1)
    build.note(
        f"the scale and bias of each logit behind {x.name} are rounded to multiples of "
        f"{float(fine):.3g}: less than half a rounding of the largest logit in float32"
    )
    return Fraction(1, 1 << max(0, (fine.denominator // fine.numerator).bit_length()))


def _rounded(values: np.ndarray) -> np.ndarray:
    """The nearest integers, in Python's own, of any size."""
    return np.array([round(v) for v in values], object)


def _check_result(node: OnnxNode, itype: QType, otype: QType) -> None:
    if otype.bits > RESULT_BITS:
        raise unsupported(
            node,
            f"its input {itype} needs {otype.bits} bits, more than {RESULT_BITS}, once its "
            "channels are on one scale",
            "use one scale per tensor, or a quantiser in front of it",
        )


def _ends(x: Tensor, multiplier: np.ndarray, bias: np.ndarray) -> QType:
    """Narrowest type of x*multiplier + bias; both of one length."""
    ends = [multiplier.astype(object) * end + bias for end in (x.qtype.min, x.qtype.max)]
    return covering(np.concatenate(ends))


def scaled_block(
    build: Builder,
    node: OnnxNode,
    x: Tensor,
    multiplier: np.ndarray,
    bias: np.ndarray,
    dropped: int = 0,
) -> Tensor:
    """y = x*multiplier + bias per channel, less the `dropped` lowest bits, rounded; never clipped.

    Raises UnsupportedLayer where that is wider than hardware gives.
    """
    name = build.fresh(f"{x.name}_scale")
    bias = bias + (1 << dropped >> 1)
    whole = _ends(x, multiplier, bias)
    otype = QType.covering(whole.min >> dropped, whole.max >> dropped)
    _check_result(node, x.qtype, otype)
    channels = lcm(x.channels, len(multiplier), len(bias))
    multiplier, bias = (np.resize(v, channels) for v in (multiplier, bias))
    block = Requantise(
        name=name,
        channels=channels,
        vectors=x.elements // channels,
        itype=x.qtype,
        otype=otype,
        multiplier=build.param(name, "multiplier", multiplier, covering(multiplier)),
        bias=build.param(name, "bias", bias, covering(bias)),
        shift=dropped,
    )
    out = build.add(block, (x.name,), (node.name, *node.inputs))
    return Tensor(out, otype, (linear(),), x.order, x.channels)
