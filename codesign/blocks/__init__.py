"""Hardware blocks: one file each; `BLOCKS` lists them all, and a new block is a line in it.

Lowering, search, cost, simulator and conformance suite iterate over `BLOCKS` or call the methods
of `Block`; nothing else in the project knows which blocks there are.
"""

from typing import Union

from codesign.blocks.add import Add
from codesign.blocks.arg_max import ArgMax
from codesign.blocks.concat import Concat
from codesign.blocks.depthwise import Depthwise
from codesign.blocks.fork import Fork
from codesign.blocks.max_pool import MaxPool
from codesign.blocks.mvu import MatVec
from codesign.blocks.pad import Pad
from codesign.blocks.reorder import Reorder
from codesign.blocks.requantise import Requantise
from codesign.blocks.slice import Slice
from codesign.blocks.sum_pool import SumPool
from codesign.blocks.threshold import Threshold
from codesign.blocks.width_converter import WidthConverter
from codesign.blocks.window import Window
from codesign.blocks.zero_insert import ZeroInsert

BLOCKS = (
    MatVec,
    Depthwise,
    Window,
    Pad,
    Threshold,
    Requantise,
    MaxPool,
    SumPool,
    Add,
    Fork,
    WidthConverter,
    ArgMax,
    Concat,
    Slice,
    ZeroInsert,
    Reorder,
)
AnyBlock = Union[BLOCKS]  # noqa: UP007 - a union of a tuple has no other spelling
