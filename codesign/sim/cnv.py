"""FINN's CNV as a graph of folded blocks, without weights: the benchmark's machine.

Two 3x3 convolutions of 64, 128 and 256 channels, 2x2 max pooling between, three dense layers, on a
32x32x3 picture, two-bit activations and weights; folding of FINN's example for PYNQ-Z1.
"""

from __future__ import annotations

from codesign.blocks import MatVec, MaxPool, Threshold, Window
from codesign.blocks.base import Block, Fold, ParamRef
from codesign.board import Board
from codesign.design import Design, HostInput, HostOutput
from codesign.graph.ir import IntGraph, Node
from codesign.lowering import assemble
from codesign.types import QType

PIXEL, ACTIVATION, WEIGHT, ACC = QType(8, False), QType(2, False), QType(2), QType(16)
CONVOLUTIONS = ((64, 16, 3), (64, 32, 32), (128, 16, 32), (128, 16, 32), (256, 4, 32), (256, 1, 32))
DENSE = ((512, 1, 4), (512, 1, 8), (10, 5, 1))  # outputs, pe, simd


def cnv_design(board: Board) -> Design:
    """CNV on `board`."""
    blocks = (*_features(), *_classifier())
    tensors = ["image", *(block.name for block in blocks)]
    steps = zip(blocks, tensors, tensors[1:], strict=False)
    graph = IntGraph(
        name="cnv",
        nodes=tuple(Node(block, (before,), (after,)) for block, before, after in steps),
        input=HostInput("image", (32, 32, 3), (3, 32, 32), PIXEL),
        output=HostOutput("logits", (10,), ACC),
        input_tensor="image",
        output_tensor=tensors[-1],
    )
    return assemble(graph, {}, board)


def _features() -> tuple[Block, ...]:
    size, channels, qtype = 32, 3, PIXEL
    blocks: list[Block] = []
    for i, (rows, pe, simd) in enumerate(CONVOLUTIONS):
        blocks.append(_window(f"window{i}", size, channels, 3, 1, qtype, simd))
        size -= 2
        blocks += _dense(f"conv{i}", rows, channels * 9, size * size, qtype, pe, simd)
        channels, qtype = rows, ACTIVATION
        if i in (1, 3):
            blocks.append(_window(f"corner{i}", size, channels, 2, 2, qtype, pe))
            size //= 2
            pool = {"channels": channels, "taps": 4, "vectors": size * size, "itype": qtype}
            blocks.append(MaxPool(name=f"pool{i}", fold=Fold(pe=pe), **pool))
    return tuple(blocks)


def _classifier() -> tuple[Block, ...]:
    cols, blocks = CONVOLUTIONS[-1][0], []
    for i, (rows, pe, simd) in enumerate(DENSE):
        blocks += _dense(f"fc{i}", rows, cols, 1, ACTIVATION, pe, simd)
        cols = rows
    return tuple(blocks[:-1])  # no quantiser behind the last layer


def _window(
    name: str, size: int, channels: int, kernel: int, stride: int, qtype: QType, lanes: int
) -> Window:
    return Window(
        name=name,
        fold=Fold(pe=lanes),
        height=size,
        width=size,
        channels=channels,
        kernel=(kernel, kernel),
        stride=(stride, stride),
        dilation=(1, 1),
        itype=qtype,
    )


def _dense(
    name: str, rows: int, cols: int, vectors: int, qtype: QType, pe: int, simd: int
) -> tuple[Block, Block]:
    """A matrix-vector unit and the quantiser behind it."""
    product = MatVec(
        name=name,
        fold=Fold(pe=pe, simd=simd),
        rows=rows,
        cols=cols,
        vectors=vectors,
        itype=qtype,
        wtype=WEIGHT,
        acc=ACC,
        weight=ParamRef(f"{name}.weight", (rows, cols), WEIGHT),
    )
    quantiser = Threshold(
        name=f"{name}_act",
        fold=Fold(pe=pe),
        channels=rows,
        vectors=vectors,
        itype=ACC,
        otype=ACTIVATION,
        base=0,
        thresholds=ParamRef(f"{name}.thresholds", (rows, 3), ACC),
    )
    return product, quantiser
