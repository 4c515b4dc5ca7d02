"""Each block's function once more, element by element in Python integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from math import floor, prod

from codesign import blocks as b


def mat_vec(k: b.MatVec, params: dict, x: Sequence[int]) -> list[list[int]]:
    weight = params[k.weight.name].tolist()
    out = []
    for v in range(k.vectors):
        for row in weight:
            out.append(sum(w * x[v * k.cols + c] for c, w in enumerate(row)))
    return [out]


def depthwise(k: b.Depthwise, params: dict, x: Sequence[int]) -> list[list[int]]:
    weight = params[k.weight.name].tolist()
    out = []
    for v in range(k.vectors):
        for c in range(k.channels):
            place = v * k.taps * k.channels + c
            out.append(sum(weight[c][t] * x[place + t * k.channels] for t in range(k.taps)))
    return [out]


def window(k: b.Window, params: dict, x: Sequence[int]) -> list[list[int]]:
    out = []
    top = 0
    while top + (k.kernel[0] - 1) * k.dilation[0] < k.height:
        left = 0
        while left + (k.kernel[1] - 1) * k.dilation[1] < k.width:
            for ky in range(k.kernel[0]):
                for kx in range(k.kernel[1]):
                    y, column = top + ky * k.dilation[0], left + kx * k.dilation[1]
                    place = (y * k.width + column) * k.channels
                    out += x[place : place + k.channels]
            left += k.stride[1]
        top += k.stride[0]
    return [out]


def pad(k: b.Pad, params: dict, x: Sequence[int]) -> list[list[int]]:
    border, width = [k.value] * k.channels, k.width * k.channels
    full = border * (k.left + k.width + k.right)
    out = full * k.top
    for y in range(k.height):
        out += border * k.left + list(x[y * width : (y + 1) * width]) + border * k.right
    return [out + full * k.bottom]


def threshold(k: b.Threshold, params: dict, x: Sequence[int]) -> list[list[int]]:
    limits = params[k.thresholds.name].tolist()
    signs = params[k.sign.name].tolist() if k.sign else [1] * k.channels
    out = []
    for i, value in enumerate(x):
        c = i % k.channels
        reached = [t for t in limits[c if len(limits) > 1 else 0] if signs[c] * value >= t]
        out.append(k.base + (2 if k.otype.kind == "bipolar" else 1) * len(reached))
    return [out]


def requantise(k: b.Requantise, params: dict, x: Sequence[int]) -> list[list[int]]:
    m, bias = params[k.multiplier.name].tolist(), params[k.bias.name].tolist()
    out = []
    for i, value in enumerate(x):
        c = i % k.channels
        scaled = value * m[c if len(m) > 1 else 0] + bias[c if len(bias) > 1 else 0]
        exact = Fraction(scaled, 2**k.shift)
        level = round(exact - Fraction(1, 2)) if k.ties_even else floor(exact)
        out.append(max(k.otype.min, min(k.otype.max, level)))
    return [out]


def pooled(function: Callable) -> Callable:
    def run(k: b.MaxPool | b.SumPool, params: dict, x: Sequence[int]) -> list[list[int]]:
        size = k.taps * k.channels
        starts = [v * size + c for v in range(k.vectors) for c in range(k.channels)]
        return [[function(x[s : s + size - s % k.channels : k.channels]) for s in starts]]

    return run


def add(k: b.Add, params: dict, x: Sequence[int], y: Sequence[int]) -> list[list[int]]:
    return [[p * k.scales[0] + q * k.scales[1] for p, q in zip(x, y, strict=True)]]


def arg_max(k: b.ArgMax, params: dict, x: Sequence[int]) -> list[list[int]]:
    out = []
    for v in range(k.vectors):
        best = 0
        for c in range(k.classes):
            if x[v * k.classes + c] > x[v * k.classes + best]:
                best = c
        out.append(best)
    return [out]


def concat(k: b.Concat, params: dict, x: Sequence[int], y: Sequence[int]) -> list[list[int]]:
    (n, m), out = k.chunks, []
    for v in range(k.vectors):
        out += [*x[v * n : (v + 1) * n], *y[v * m : (v + 1) * m]]
    return [out]


def cut(k: b.Slice, params: dict, x: Sequence[int]) -> list[list[int]]:
    places = range(k.start, k.start + k.count)
    return [[x[v * k.chunk + i] for v in range(k.vectors) for i in places]]


def zero_insert(k: b.ZeroInsert, params: dict, x: Sequence[int]) -> list[list[int]]:
    out = []
    for y in range((k.height - 1) * k.stride[0] + 1):
        for column in range((k.width - 1) * k.stride[1] + 1):
            row, down = divmod(y, k.stride[0])
            pixel, right = divmod(column, k.stride[1])
            place = (row * k.width + pixel) * k.channels
            own = x[place : place + k.channels]
            out += [k.value] * k.channels if down or right else own
    return [out]


def reorder(k: b.Reorder, params: dict, x: Sequence[int]) -> list[list[int]]:
    out = []
    for v in range(k.vectors):
        for index in product(*map(range, k.sizes)):
            out.append(x[v * k.chunk + sum(i * s for i, s in zip(index, k.strides, strict=True))])
    return [out]


NAIVE: dict[type, Callable] = {
    b.MatVec: mat_vec,
    b.Depthwise: depthwise,
    b.Window: window,
    b.Pad: pad,
    b.Threshold: threshold,
    b.Requantise: requantise,
    b.MaxPool: pooled(max),
    b.SumPool: pooled(sum),
    b.Add: add,
    b.Fork: lambda k, params, x: [list(x)] * k.copies,
    b.WidthConverter: lambda k, params, x: [list(x)],
    b.ArgMax: arg_max,
    b.Concat: concat,
    b.Slice: cut,
    b.ZeroInsert: zero_insert,
    b.Reorder: reorder,
}

# Cycles of one frame in closed form, written from the page that defines the events.


def _row_of_windows(k: b.Window) -> int:
    """Events of the writer: a tap each, or the columns that windows use and further rows of taps."""
    if k.fold.simd == 1:
        return k.out_width * k.kernel[0] * k.kernel[1]
    used = {
        x * k.stride[1] + i
        for x in range(k.out_width)
        for i in range((k.kernel[1] - 1) * k.dilation[1] + 1)
    }
    return len(used) + k.out_width * (k.kernel[0] * k.kernel[1] // k.fold.simd - 1)


CLOSED_FORM: dict[type, Callable] = {
    b.MatVec: lambda k: k.vectors * (k.cols // k.fold.simd) * (k.rows // k.fold.pe),
    b.Depthwise: lambda k: k.vectors * (k.taps // k.fold.simd) * (k.channels // k.fold.pe),
    b.Window: lambda k: (
        (k.channels // k.fold.pe) * max(k.height * k.width, k.out_height * _row_of_windows(k))
    ),
    b.Pad: lambda k: (
        (k.channels // k.fold.pe) * (k.height + k.top + k.bottom) * (k.width + k.left + k.right)
    ),
    b.Threshold: lambda k: k.vectors * k.channels // k.fold.pe,
    b.Requantise: lambda k: k.vectors * k.channels // k.fold.pe,
    b.MaxPool: lambda k: k.vectors * (k.taps // k.fold.simd) * (k.channels // k.fold.pe),
    b.SumPool: lambda k: k.vectors * (k.taps // k.fold.simd) * (k.channels // k.fold.pe),
    b.Add: lambda k: k.vectors * k.channels // k.fold.pe,
    b.Fork: lambda k: k.vectors * k.channels // k.fold.pe,
    b.WidthConverter: lambda k: k.elements // min(k.in_lanes, k.out_lanes),
    b.ArgMax: lambda k: k.vectors * k.classes // k.fold.pe,
    b.Concat: lambda k: k.vectors * sum(k.chunks) // k.fold.pe,
    b.Slice: lambda k: k.vectors * k.chunk // k.fold.pe,
    b.ZeroInsert: lambda k: k.out_height * k.out_width * k.channels // k.fold.pe,
    b.Reorder: lambda k: k.vectors * prod(k.sizes) // k.fold.pe,
}
