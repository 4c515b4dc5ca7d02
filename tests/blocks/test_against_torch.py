"""Blocks, alone and chained, against the operators of torch and qonnx that they replace."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from qonnx.custom_op.general.multithreshold import multithreshold

from codesign.blocks import ArgMax, Depthwise, MatVec, MaxPool, Pad, SumPool, Threshold, Window
from codesign.blocks.samples import reference, sample
from codesign.blocks.sum_types import products_type
from codesign.types import BIPOLAR, QType

UINT4, INT4 = QType(4, False), QType(4)

# (height, width), kernel, stride, dilation, (top, left, bottom, right)
COURSES = [
    ((8, 8), (3, 3), (1, 1), (1, 1), (1, 1, 1, 1)),
    ((9, 7), (3, 2), (2, 1), (1, 1), (0, 1, 2, 0)),
    ((11, 12), (2, 3), (3, 4), (1, 1), (0, 0, 0, 0)),
    ((12, 10), (3, 3), (1, 2), (2, 3), (2, 0, 1, 3)),
    ((1, 20), (1, 5), (1, 2), (1, 2), (0, 4, 0, 4)),
]


def stream(x: np.ndarray) -> np.ndarray:
    """(N, C, H, W) to (N, H*W*C)."""
    return x.transpose(0, 2, 3, 1).reshape(len(x), -1)


def windows_of(x, itype, kernel, stride, dilation, border=(0, 0, 0, 0)):
    """Frames of windows of a picture x (N, C, H, W), and the window block."""
    c, h, w = x.shape[1:]
    top, left, bottom, right = border
    names = {"top": top, "bottom": bottom, "left": left, "right": right}
    pad = Pad(name="pad", height=h, width=w, channels=c, **names, value=0, itype=itype)
    window = Window(
        name="window",
        height=pad.out_height,
        width=pad.out_width,
        channels=c,
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        itype=itype,
    )
    return window.execute({}, *pad.execute({}, stream(x)))[0], window


def torch_conv(x, weight, stride, dilation, border, groups=1):
    top, left, bottom, right = border
    padded = torch.nn.functional.pad(torch.tensor(x).double(), (left, right, top, bottom))
    return torch.nn.functional.conv2d(
        padded, torch.tensor(weight).double(), None, stride, 0, dilation, groups
    ).numpy()


@pytest.mark.parametrize(("size", "kernel", "stride", "dilation", "border"), COURSES)
def test_convolution(size, kernel, stride, dilation, border) -> None:
    x, weight = sample(UINT4, 3, 4, *size), sample(INT4, 5, 4, *kernel, seed=1)
    seen, window = windows_of(x, UINT4, kernel, stride, dilation, border)
    matrix = weight.transpose(0, 2, 3, 1).reshape(5, -1)
    unit = MatVec(
        name="conv",
        rows=5,
        cols=matrix.shape[1],
        vectors=window.out_height * window.out_width,
        itype=UINT4,
        wtype=INT4,
        acc=products_type(matrix.shape[1], UINT4, INT4),
        weight=reference("w", matrix),
    )
    found = unit.execute({"w": matrix}, seen)[0]
    expected = torch_conv(x, weight, stride, dilation, border)
    assert expected.shape[2:] == (window.out_height, window.out_width)
    assert np.array_equal(found, stream(expected))


@pytest.mark.parametrize(("size", "kernel", "stride", "dilation", "border"), COURSES)
def test_depthwise_convolution(size, kernel, stride, dilation, border) -> None:
    x, weight = sample(UINT4, 3, 4, *size), sample(INT4, 4, 1, *kernel, seed=1)
    seen, window = windows_of(x, UINT4, kernel, stride, dilation, border)
    matrix = weight.reshape(4, -1)
    unit = Depthwise(
        name="conv",
        channels=4,
        taps=matrix.shape[1],
        vectors=window.out_height * window.out_width,
        itype=UINT4,
        wtype=INT4,
        acc=products_type(matrix.shape[1], UINT4, INT4),
        weight=reference("w", matrix),
    )
    found = unit.execute({"w": matrix}, seen)[0]
    assert np.array_equal(found, stream(torch_conv(x, weight, stride, dilation, border, 4)))


@pytest.mark.parametrize(
    ("kernel", "stride"), [((2, 2), (2, 2)), ((3, 3), (2, 2)), ((2, 3), (1, 2))]
)
def test_pooling(kernel, stride) -> None:
    x = sample(INT4, 3, 4, 8, 9)
    seen, window = windows_of(x, INT4, kernel, stride, (1, 1))
    taps = kernel[0] * kernel[1]
    layout = {"channels": 4, "taps": taps, "vectors": window.out_height * window.out_width}
    largest = MaxPool(name="max", **layout, itype=INT4).execute({}, seen)[0]
    sums = SumPool(name="sum", **layout, itype=INT4, otype=QType(8)).execute({}, seen)[0]
    real = torch.tensor(x).double()
    functional = torch.nn.functional
    assert np.array_equal(largest, stream(functional.max_pool2d(real, kernel, stride).numpy()))
    means = functional.avg_pool2d(real, kernel, stride).numpy()
    assert np.array_equal(sums, np.rint(stream(means) * taps))


@pytest.mark.parametrize("otype", [BIPOLAR, QType(2, False), QType(3), QType(6, False)], ids=str)
@pytest.mark.parametrize("rows", [1, 5])
def test_thresholds(otype: QType, rows: int) -> None:
    itype = QType(9)
    x = sample(itype, 4, 5, 3, 2)
    limits = np.sort(sample(itype, rows, otype.levels - 1, seed=3), axis=1)
    block = Threshold(
        name="t",
        channels=5,
        vectors=6,
        itype=itype,
        otype=otype,
        base=otype.min,
        thresholds=reference("t", limits),
    )
    found = block.execute({"t": limits}, stream(x))[0]
    full = np.broadcast_to(limits, (5, limits.shape[1])).astype(np.float64)
    expected = multithreshold(x.astype(np.float64), full, float(otype.step), float(otype.min))
    assert np.array_equal(found, stream(expected))


def test_thresholds_beyond_the_input_are_never_or_always_reached() -> None:
    itype, limits = QType(4), np.array([[-100, -8, 8, 9, 100]])
    block = Threshold(
        name="t",
        channels=1,
        vectors=16,
        itype=itype,
        otype=QType(3, False),
        base=0,
        thresholds=reference("t", limits),
        sign=reference("s", np.array([-1])),
    )
    x = np.arange(-8, 8)[None]
    found = block.execute({"t": limits, "s": np.array([-1])}, x)[0]
    assert found.tolist() == [[2 + (v == -8) for v in range(-8, 8)]]


def test_arg_max_takes_the_first_of_equals() -> None:
    block = ArgMax(name="a", classes=10, vectors=1, itype=QType(2), otype=QType(4, False))
    x = sample(QType(2), 50, 10)
    assert np.array_equal(block.execute({}, x)[0][:, 0], torch.tensor(x).max(1).indices.numpy())
