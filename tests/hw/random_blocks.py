"""Random blocks with parameters, for configurations that no example has; reproducible by seed."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from codesign import blocks as b
from codesign.blocks.base import Block
from codesign.blocks.samples import reference, sample
from codesign.blocks.sum_types import scaled_range, sum_type
from codesign.cost.family import load_family
from codesign.types import BIPOLAR, TERNARY, QType

# Foldings of a family whose large RAM is filled at start-up are drawn, too.
LARGE = load_family("xcup")
Made = tuple[Block, dict[str, np.ndarray]]


def random_block(seed: int) -> Made:
    """A block of any kind, of random shape, types and folding."""
    dice = random.Random(seed)
    block, params = MAKERS[seed % len(MAKERS)](dice, seed)
    return block.folded(dice.choice(block.folds_on(LARGE))), params


def any_type(dice: random.Random, most_bits: int = 8) -> QType:
    """Bipolar, ternary, or an integer type."""
    return dice.choice((BIPOLAR, TERNARY, *[integer(dice, most_bits) for _ in range(5)]))


def integer(dice: random.Random, most_bits: int = 8) -> QType:
    """Unsigned of 1 or more bits, or two's complement of 2 or more, narrow or not."""
    if dice.random() < 0.5:
        return QType(dice.randint(1, most_bits), signed=False)
    return QType(dice.randint(2, most_bits), narrow=dice.random() < 0.5)


def accumulator(weight: np.ndarray, itype: QType) -> QType:
    """Narrowest type of the sums of these very weights (rows, terms)."""
    ends = np.stack([weight * itype.min, weight * itype.max])
    low, high = ends.min(axis=0).sum(axis=1).min(), ends.max(axis=0).sum(axis=1).max()
    return QType.covering(int(low), int(high))


def weighted(dice: random.Random, seed: int, rows: int, terms: int) -> tuple[dict, dict]:
    """(types and reference, parameters) of a block with weights."""
    itype = dice.choice((any_type(dice), any_type(dice), any_type(dice, 16), integer(dice, 16)))
    powers = QType(dice.randint(2, 5), kind="power-of-two", narrow=seed % 3 == 1)
    wtype = dice.choice((any_type(dice), any_type(dice), any_type(dice), powers))
    weight = sample(wtype, rows, terms, seed=seed)
    acc = accumulator(weight, itype)
    fields = {"itype": itype, "wtype": wtype, "acc": acc, "weight": reference("weight", weight)}
    return fields, {"weight": weight}


def mat_vec(dice: random.Random, seed: int) -> Made:
    rows, cols = dice.choice((1, 2, 3, 4, 6, 12)), dice.choice((1, 2, 5, 6, 12, 16, 27, 130))
    fields, params = weighted(dice, seed, rows, cols)
    return b.MatVec(name="mvu", rows=rows, cols=cols, vectors=dice.randint(1, 3), **fields), params


def depthwise(dice: random.Random, seed: int) -> Made:
    channels, taps = dice.choice((1, 2, 3, 4, 6)), dice.choice((1, 2, 4, 9))
    fields, params = weighted(dice, seed, channels, taps)
    shape = {"channels": channels, "taps": taps, "vectors": dice.randint(1, 3)}
    return b.Depthwise(name="depthwise", **shape, **fields), params


def threshold(dice: random.Random, seed: int) -> Made:
    itype = dice.choice((any_type(dice), integer(dice, 16)))
    otype = dice.choice((BIPOLAR, TERNARY, integer(dice, 5)))
    channels = dice.choice((1, 2, 3, 4, 6, 16))
    count = dice.randint(1, otype.levels - 1)
    free = otype.levels - 1 - count
    base = otype.min + otype.step * dice.randint(0, free)
    rows = dice.choice((1, channels))
    beyond = range(itype.min - 2, itype.max + 4)
    limits = [sorted(dice.choices(beyond, k=count)) for _ in range(rows)]
    params = {"thresholds": np.array(limits)}
    if dice.random() < 0.5:
        params["sign"] = sample(BIPOLAR, channels, seed=seed)
    references = {name: reference(name, values) for name, values in params.items()}
    shape = {"channels": channels, "vectors": dice.randint(1, 3)}
    types = {"itype": itype, "otype": otype, "base": base}
    return b.Threshold(name="threshold", **shape, **types, **references), params


def requantise(dice: random.Random, seed: int) -> Made:
    channels = dice.choice((1, 2, 3, 4, 6))
    m = sample(integer(dice, 9), dice.choice((1, channels)), seed=seed)
    bias = sample(integer(dice, 14), dice.choice((1, channels)), seed=seed + 1)
    shift = dice.randint(0, 14)
    block = b.Requantise(
        name="requantise",
        channels=channels,
        vectors=dice.randint(1, 3),
        itype=integer(dice, 12),
        otype=dice.choice((TERNARY, integer(dice))),
        multiplier=reference("m", m),
        bias=reference("b", bias),
        shift=shift,
        ties_even=shift > 0 and dice.random() < 0.4,
    )
    return block, {"m": m, "b": bias}


def window(dice: random.Random, seed: int) -> Made:
    kernel = dice.randint(1, 4), dice.randint(1, 4)
    dilation = dice.randint(1, 3), dice.randint(1, 3)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    block = b.Window(
        name="window",
        height=spans[0] + dice.randint(0, 5),
        width=spans[1] + dice.randint(0, 5),
        channels=dice.choice((1, 2, 4, 6)),
        kernel=kernel,
        stride=(dice.randint(1, 5), dice.randint(1, 5)),
        dilation=dilation,
        itype=any_type(dice),
    )
    return block, {}


def pad(dice: random.Random, seed: int) -> Made:
    itype = any_type(dice)
    border = {side: dice.choice((0, 0, 1, 2)) for side in ("top", "bottom", "left", "right")}
    size = {name: dice.randint(1, 4) for name in ("height", "width", "channels")}
    value = int(sample(itype, 1, seed=seed)[0])
    return b.Pad(name="pad", itype=itype, value=value, **border, **size), {}


def pooled(kind: type[b.MaxPool | b.SumPool]) -> Callable[[random.Random, int], Made]:
    def make(dice: random.Random, seed: int) -> Made:
        itype, taps = any_type(dice), dice.randint(1, 9)
        wide = {"otype": sum_type(scaled_range(itype, taps))} if kind is b.SumPool else {}
        shape = {"channels": dice.choice((1, 2, 3, 4, 6)), "vectors": dice.randint(1, 3)}
        return kind(name=kind.__name__, itype=itype, taps=taps, **shape, **wide), {}

    return make


def add(dice: random.Random, seed: int) -> Made:
    itypes = any_type(dice), any_type(dice)
    scales = dice.choice((1, 1, -1, 2, 3, -5, 7)), dice.choice((1, 1, -2, 4, 6, -7))
    otype = sum_type(*map(scaled_range, itypes, scales))
    shape = {"channels": dice.choice((1, 2, 3, 6)), "vectors": dice.randint(1, 3)}
    return b.Add(name="add", itypes=itypes, scales=scales, otype=otype, **shape), {}


def fork(dice: random.Random, seed: int) -> Made:
    shape = {"channels": dice.choice((1, 2, 6)), "vectors": dice.randint(1, 3)}
    return b.Fork(name="fork", itype=any_type(dice), copies=dice.randint(1, 6), **shape), {}


def width_converter(dice: random.Random, seed: int) -> Made:
    small = dice.randint(1, 4)
    lanes = [small, small * dice.randint(1, 5)]
    dice.shuffle(lanes)
    block = b.WidthConverter(
        name="width",
        in_lanes=lanes[0],
        out_lanes=lanes[1],
        elements=max(lanes) * dice.randint(1, 4),
        itype=any_type(dice),
    )
    return block, {}


def arg_max(dice: random.Random, seed: int) -> Made:
    classes, vectors = dice.randint(1, 12), dice.randint(1, 3)
    otype = QType.covering(0, classes - 1)
    itype = dice.choice((any_type(dice, 3), any_type(dice, 16)))
    return b.ArgMax(name="arg_max", classes=classes, vectors=vectors, itype=itype, otype=otype), {}


def concat(dice: random.Random, seed: int) -> Made:
    itypes = any_type(dice), any_type(dice)
    itypes = dice.choice((itypes, itypes[:1] * 2))
    chunks = dice.choice((1, 2, 3, 4, 6)), dice.choice((1, 2, 4, 6))
    return b.Concat(name="concat", chunks=chunks, vectors=dice.randint(1, 3), itypes=itypes), {}


def slice_(dice: random.Random, seed: int) -> Made:
    before, count, behind = dice.randint(0, 4), dice.randint(1, 6), dice.randint(0, 4)
    unit = dice.choice((1, 2))
    block = b.Slice(
        name="slice",
        chunk=unit * (before + count + behind),
        start=unit * before,
        count=unit * count,
        vectors=dice.randint(1, 3),
        itype=any_type(dice),
    )
    return block, {}


def zero_insert(dice: random.Random, seed: int) -> Made:
    itype = any_type(dice)
    size = {name: dice.randint(1, 4) for name in ("height", "width", "channels")}
    stride, value = (dice.randint(1, 3), dice.randint(1, 3)), int(sample(itype, 1, seed=seed)[0])
    return b.ZeroInsert(name="zero_insert", itype=itype, stride=stride, value=value, **size), {}


def reorder(dice: random.Random, seed: int) -> Made:
    """An array of up to four axes, written in another order of them, some repeated."""
    axes, stride = [], 1
    for _ in range(dice.randint(1, 4)):
        size = dice.randint(1, 4)
        axes.append((size, stride))
        stride *= size
    axes += [(dice.randint(2, 3), 0) for _ in range(dice.randint(0, 2))]
    dice.shuffle(axes)
    sizes, strides = zip(*axes, strict=True)
    shape = {"vectors": dice.randint(1, 3), "sizes": sizes, "strides": strides}
    return b.Reorder(name="reorder", itype=any_type(dice), **shape), {}


# Weighted blocks, windows and thresholds have most to vary and come up more often.
MAKERS = (
    *(mat_vec, threshold, window, depthwise, requantise, add),
    *(mat_vec, threshold, window, pad, pooled(b.MaxPool), arg_max),
    *(mat_vec, threshold, window, pooled(b.SumPool), fork, width_converter),
    *(mat_vec, threshold, concat, slice_, zero_insert, reorder, reorder),
)
