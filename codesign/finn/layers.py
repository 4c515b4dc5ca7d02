"""FINN's layers and ours: names, and which attribute is which knob."""

from __future__ import annotations

import re
from dataclasses import dataclass

from codesign.blocks.add import Add
from codesign.blocks.arg_max import ArgMax
from codesign.blocks.base import Block
from codesign.blocks.depthwise import Depthwise
from codesign.blocks.max_pool import MaxPool
from codesign.blocks.mvu import MatVec
from codesign.blocks.pad import Pad
from codesign.blocks.quantiser import Quantiser
from codesign.blocks.sum_pool import SumPool
from codesign.blocks.window import Window
from codesign.blocks.zero_insert import ZeroInsert

MEMORIES = {"distributed": "lut", "block": "block", "ultra": "large"}
MULTIPLIERS = {"lut": "lut", "dsp": "dsp"}
NAME = re.compile(r"(?P<layer>[A-Za-z]\w*?)(?:_(?:hls|rtl|Batch|Pixel))*_(?P<number>\d+)")


@dataclass(frozen=True)
class Layer:
    """A kind of layer: its names in FINN, oldest last, our block, and the attribute of `pe`.

    `backend` is how FINN's present name ends. Only products also have our `simd`, as SIMD.
    """

    names: tuple[str, ...]
    block: type[Block]
    pe: str = "PE"
    simd: bool = False
    backend: str = "hls"


LAYERS = (
    Layer(
        ("MVAU", "MatrixVectorActivation", "StreamingFCLayer", "ConvDoublePacked"),
        MatVec,
        simd=True,
    ),
    Layer(("VVAU", "VectorVectorActivation", "Vector_Vector_Activate"), Depthwise, simd=True),
    Layer(
        ("ConvolutionInputGenerator", "ConvolutionInputGenerator1D", "DownSampler"),
        Window,
        pe="SIMD",
        backend="rtl",
    ),
    Layer(("Thresholding",), Quantiser, backend="rtl"),
    Layer(("FMPadding",), Pad, pe="SIMD", backend="rtl"),
    Layer(("FMPadding_Pixel",), ZeroInsert, pe="SIMD"),
    Layer(("StreamingMaxPool", "Pool"), MaxPool),
    Layer(("GlobalAccPool", "AccPool"), SumPool),
    Layer(("AddStreams", "ElementwiseAdd"), Add),
    Layer(("LabelSelect",), ArgMax),
)
# Layers that our lowering adds itself, wherever lanes and readers ask for them.
PLUMBING = ("StreamingFIFO", "StreamingDataWidthConverter", "DuplicateStreams", "IODMA")
# Layers by which the two networks are aligned.
ANCHORS = (MatVec, Depthwise)


def layer_named(entry: str) -> Layer | None:
    """The kind of the entry "MatrixVectorActivation_3" or "MVAU_hls_0"; None for another."""
    match = NAME.fullmatch(entry)
    if match is None:
        return None
    word = "FMPadding_Pixel" if entry.startswith("FMPadding_Pixel") else match["layer"]
    return next((layer for layer in LAYERS if word in layer.names), None)


def layer_of(block: Block) -> Layer | None:
    """The kind of layer that `block` is in FINN; None where it has none of its own."""
    return next((layer for layer in LAYERS if isinstance(block, layer.block)), None)


def is_plumbing(entry: str) -> bool:
    """True for FIFOs, width converters, forks and the transfers at the ends."""
    return entry.startswith(PLUMBING)
