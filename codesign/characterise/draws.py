"""The distribution that block configurations are drawn from.

Row `number` of a kind is the same configuration on every family and every machine. Types have 1 to
8 bits, 16 once in twelve, with bipolar and ternary values among those of 1 and 2 bits; sizes are
those of layers of small networks, divided until one unit takes some thousand LUTs at most; each
legal folding up to that size is as likely as any other. Constants are uniform.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from codesign import blocks as b
from codesign.blocks.base import Block
from codesign.blocks.samples import reference, sample
from codesign.blocks.sum_types import scaled_range, sum_type
from codesign.characterise.channel import Channel
from codesign.types import BIPOLAR, TERNARY, QType

Unit = Block | Channel
Drawn = tuple[Unit, dict[str, np.ndarray]]

CHANNELS = (3, 6, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128)
# A unit's multipliers have at most this many bit products, its streams this many bits a beat.
MOST_BIT_PRODUCTS = 1024
MOST_BEAT_BITS = 256
# Weights in LUTs have at most this many bits; beyond, nobody would put them there.
MOST_LUT_ROM_BITS = 16384


def drawn(kind: str, number: int) -> Drawn:
    """Configuration `number` of `kind` (a name of MAKERS) with its constants."""
    dice = random.Random(f"{kind} {number}")
    seed = dice.randrange(1 << 30)
    while True:
        unit, params = MAKERS[kind](dice, seed)
        if isinstance(unit, Channel):
            return unit, params
        legal = [unit.folded(fold) for fold in unit.legal_folds() if fold.memory != "large"]
        legal = [block for block in legal if _small(block)]
        if legal:
            return dice.choice(legal), params


def _small(block: Block) -> bool:
    beats = [port.bits for port in (*block.inputs(), *block.outputs())]
    in_luts = _weight_bits(block) if block.fold.memory == "lut" else 0
    return (
        max(beats) <= MOST_BEAT_BITS
        and _bit_products(block) <= MOST_BIT_PRODUCTS
        and in_luts <= MOST_LUT_ROM_BITS
    )


def _weight_bits(block: Block) -> int:
    wtype = getattr(block, "wtype", None)
    return int(np.prod(block.weight.shape)) * wtype.bits if wtype else 0


def _bit_products(block: Block) -> int:
    wtype = getattr(block, "wtype", None)
    if wtype is None:
        return 0
    return block.fold.pe * block.fold.simd * wtype.bits * block.itype.bits


def bits_of(dice: random.Random) -> int:
    """1 to 8, and 16 once in twelve."""
    return 16 if dice.random() < 1 / 12 else dice.randint(1, 8)


def any_type(dice: random.Random, bits: int | None = None) -> QType:
    """A type of `bits` bits: bipolar or unsigned of one, ternary once in four of two."""
    bits = bits or bits_of(dice)
    if bits == 1:
        return dice.choice((BIPOLAR, QType(1, signed=False)))
    if bits == 2 and dice.random() < 0.25:
        return TERNARY
    return integer(dice, bits)


def integer(dice: random.Random, bits: int) -> QType:
    """Unsigned as behind a ReLU, or two's complement."""
    return QType(bits, signed=bits > 1 and dice.random() < 0.5)


def weight_type(dice: random.Random) -> QType:
    """As `any_type`, signed and narrow where it is an integer."""
    qtype = any_type(dice)
    return QType(qtype.bits, narrow=True) if qtype.kind == "int" and qtype.bits > 1 else qtype


def _accumulator(weight: np.ndarray, itype: QType) -> QType:
    """Narrowest type of the sums of these very weights (rows, terms)."""
    ends = np.stack([weight * itype.min, weight * itype.max])
    low, high = ends.min(axis=0).sum(axis=1).min(), ends.max(axis=0).sum(axis=1).max()
    return QType.covering(int(low), int(high))


def _weighted(dice: random.Random, seed: int, rows: int, terms: int) -> tuple[dict, dict]:
    """(types and reference, parameters) of a block with weights."""
    itype, wtype = any_type(dice), weight_type(dice)
    weight = sample(wtype, rows, terms, seed=seed)
    acc = _accumulator(weight, itype)
    fields = {"itype": itype, "wtype": wtype, "acc": acc, "weight": reference("weight", weight)}
    return fields, {"weight": weight}


def _mat_vec(dice: random.Random, seed: int) -> Drawn:
    rows, cols = dice.choice(CHANNELS), dice.choice((9, 16, 27, 32, 36, 48, 64, 72, 128, 144, 288))
    fields, params = _weighted(dice, seed, rows, cols)
    return b.MatVec(name="unit", rows=rows, cols=cols, vectors=_vectors(dice), **fields), params


def _depthwise(dice: random.Random, seed: int) -> Drawn:
    channels, taps = dice.choice(CHANNELS), dice.choice((3, 4, 9, 9, 9, 25))
    fields, params = _weighted(dice, seed, channels, taps)
    shape = {"channels": channels, "taps": taps, "vectors": _vectors(dice)}
    return b.Depthwise(name="unit", **shape, **fields), params


def _threshold(dice: random.Random, seed: int) -> Drawn:
    itype, otype = integer(dice, dice.randint(4, 20)), any_type(dice, dice.randint(1, 4))
    channels = dice.choice(CHANNELS)
    rows = dice.choice((1, channels, channels))
    counts = sample(itype, rows, otype.levels - 1, seed=seed)
    params = {"thresholds": np.sort(counts, axis=1)}
    if dice.random() < 0.25:
        params["sign"] = sample(BIPOLAR, channels, seed=seed)
    references = {name: reference(name, values) for name, values in params.items()}
    shape = {"channels": channels, "vectors": _vectors(dice)}
    types = {"itype": itype, "otype": otype, "base": otype.min}
    return b.Threshold(name="unit", **shape, **types, **references), params


def _requantise(dice: random.Random, seed: int) -> Drawn:
    channels, otype = dice.choice(CHANNELS), any_type(dice, dice.randint(2, 8))
    rows = dice.choice((1, channels, channels))
    m = 1 + sample(QType(dice.randint(4, 12), signed=False), rows, seed=seed)
    bias = sample(QType(dice.randint(8, 20)), rows, seed=seed + 1)
    block = b.Requantise(
        name="unit",
        channels=channels,
        vectors=_vectors(dice),
        itype=integer(dice, dice.randint(6, 20)),
        otype=otype,
        multiplier=reference("m", m),
        bias=reference("b", bias),
        shift=dice.randint(4, 16),
    )
    return block, {"m": m, "b": bias}


def _window(dice: random.Random, seed: int) -> Drawn:
    kernel = dice.choice(((3, 3), (3, 3), (5, 5), (2, 2), (1, 3), (1, 7)))
    size = dice.choice((7, 8, 12, 14, 16, 28, 32))
    height = 1 if kernel[0] == 1 else size
    stride = 1 if dice.random() < 0.7 else 2
    block = b.Window(
        name="unit",
        height=height,
        width=size,
        channels=dice.choice(CHANNELS),
        kernel=kernel,
        stride=(min(stride, height), stride),
        dilation=(1, 1),
        itype=any_type(dice),
    )
    return block, {}


def _pad(dice: random.Random, seed: int) -> Drawn:
    itype, border = any_type(dice), dice.choice((1, 1, 2, 3))
    size = {"height": _side(dice), "width": _side(dice), "channels": dice.choice(CHANNELS)}
    sides = dict.fromkeys(("top", "bottom", "left", "right"), border)
    value = 0 if itype.kind != "bipolar" else 1
    return b.Pad(name="unit", itype=itype, value=value, **sides, **size), {}


def _pooled(kind: type[b.MaxPool | b.SumPool]) -> Callable[[random.Random, int], Drawn]:
    def make(dice: random.Random, seed: int) -> Drawn:
        itype, taps = any_type(dice), dice.choice((2, 4, 4, 9, 16, 49))
        wide = {"otype": sum_type(scaled_range(itype, taps))} if kind is b.SumPool else {}
        shape = {"channels": dice.choice(CHANNELS), "vectors": _vectors(dice)}
        return kind(name="unit", itype=itype, taps=taps, **shape, **wide), {}

    return make


def _add(dice: random.Random, seed: int) -> Drawn:
    itypes = any_type(dice), any_type(dice)
    scales = (1, 1) if dice.random() < 0.5 else (dice.randint(1, 64), dice.randint(-64, 64) or 1)
    otype = sum_type(*map(scaled_range, itypes, scales))
    shape = {"channels": dice.choice(CHANNELS), "vectors": _vectors(dice)}
    return b.Add(name="unit", itypes=itypes, scales=scales, otype=otype, **shape), {}


def _fork(dice: random.Random, seed: int) -> Drawn:
    shape = {"channels": dice.choice(CHANNELS), "vectors": _vectors(dice)}
    return b.Fork(name="unit", itype=any_type(dice), copies=dice.randint(2, 4), **shape), {}


def _width_converter(dice: random.Random, seed: int) -> Drawn:
    small = dice.choice((1, 2, 3, 4, 8))
    lanes = [small, small * dice.choice((2, 3, 4, 6, 8, 16))]
    dice.shuffle(lanes)
    block = b.WidthConverter(
        name="unit",
        in_lanes=lanes[0],
        out_lanes=lanes[1],
        elements=max(lanes) * dice.randint(1, 64),
        itype=any_type(dice),
    )
    return block, {}


def _arg_max(dice: random.Random, seed: int) -> Drawn:
    classes = dice.choice((2, 5, 10, 10, 12, 35, 100))
    otype, itype = QType.covering(0, classes - 1), QType(dice.randint(4, 20))
    shape = {"classes": classes, "vectors": 1}
    return b.ArgMax(name="unit", itype=itype, otype=otype, **shape), {}


def _concat(dice: random.Random, seed: int) -> Drawn:
    itypes = any_type(dice), any_type(dice)
    itypes = dice.choice((itypes, itypes[:1] * 2))
    chunks = dice.choice(CHANNELS), dice.choice(CHANNELS)
    return b.Concat(name="unit", chunks=chunks, vectors=_vectors(dice), itypes=itypes), {}


def _slice(dice: random.Random, seed: int) -> Drawn:
    parts = [dice.choice((4, 8, 16, 32)) for _ in range(3)]
    sizes = {"chunk": sum(parts), "start": parts[0], "count": parts[1]}
    return b.Slice(name="unit", vectors=_vectors(dice), itype=any_type(dice), **sizes), {}


def _zero_insert(dice: random.Random, seed: int) -> Drawn:
    itype, stride = any_type(dice), dice.choice(((2, 2), (2, 2), (1, 2), (3, 3)))
    size = {"height": _side(dice), "width": _side(dice), "channels": dice.choice(CHANNELS)}
    value = 0 if itype.kind != "bipolar" else 1
    return b.ZeroInsert(name="unit", itype=itype, stride=stride, value=value, **size), {}


def _reorder(dice: random.Random, seed: int) -> Drawn:
    """A matrix or a picture, transposed."""
    sizes = [dice.choice((2, 3, 4, 8, 16)) for _ in range(dice.choice((2, 3)))]
    strides = [int(np.prod(sizes[i + 1 :])) for i in range(len(sizes))]
    order = dice.sample(range(len(sizes)), len(sizes))
    shape = {"sizes": tuple(sizes[i] for i in order), "strides": tuple(strides[i] for i in order)}
    return b.Reorder(name="unit", itype=any_type(dice), vectors=_vectors(dice), **shape), {}


def _channel(dice: random.Random, seed: int) -> Drawn:
    bits, style = dice.choice((1, 2, 4, 8, 16, 24, 32, 64, 100, 128)), dice.choice((0, 0, 1))
    depth = dice.randint(2, 16) if style == 0 and dice.random() < 0.5 else dice.randint(17, 1024)
    return Channel(width_bits=bits, depth=depth if bits * depth <= 16384 else 32, style=style), {}


def _vectors(dice: random.Random) -> int:
    return dice.choice((1, 1, 16, 64, 144, 196))


def _side(dice: random.Random) -> int:
    return dice.choice((4, 7, 8, 14, 16, 28, 32))


MAKERS: dict[str, Callable[[random.Random, int], Drawn]] = {
    "MatVec": _mat_vec,
    "Depthwise": _depthwise,
    "Window": _window,
    "Pad": _pad,
    "Threshold": _threshold,
    "Requantise": _requantise,
    "MaxPool": _pooled(b.MaxPool),
    "SumPool": _pooled(b.SumPool),
    "Add": _add,
    "Fork": _fork,
    "WidthConverter": _width_converter,
    "ArgMax": _arg_max,
    "Concat": _concat,
    "Slice": _slice,
    "ZeroInsert": _zero_insert,
    "Reorder": _reorder,
    "Channel": _channel,
}
