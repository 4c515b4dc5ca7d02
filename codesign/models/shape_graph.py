"""Integer graphs by shape alone: types and sizes of every block, parameters without contents.

They can be folded, estimated and simulated, not executed. Accumulators have the width of their
worst case, thresholds differ from channel to channel.
"""

from __future__ import annotations

from codesign.blocks.add import Add
from codesign.blocks.arg_max import ArgMax
from codesign.blocks.base import Block, ParamRef
from codesign.blocks.depthwise import Depthwise
from codesign.blocks.max_pool import MaxPool
from codesign.blocks.mvu import MatVec
from codesign.blocks.pad import Pad
from codesign.blocks.sum_pool import SumPool
from codesign.blocks.sum_types import products_type, scaled_range, sum_type
from codesign.blocks.threshold import Threshold
from codesign.blocks.window import Window
from codesign.design import HostInput, HostOutput
from codesign.graph.ir import IntGraph, Node
from codesign.types import BIPOLAR, QType


def weight_type(bits: int) -> QType:
    """Bipolar, or symmetric integers of `bits` bits."""
    return BIPOLAR if bits == 1 else QType(bits, narrow=True)


class ShapeGraph:
    """A picture on its way through a network; each method appends blocks behind the present end.

    `size` is (height, width), `channels` and `qtype` are those of the present end. `goto` and the
    value of `here` let a branch start where another one did.
    """

    def __init__(self, name: str, size: tuple[int, int], channels: int, qtype: QType) -> None:
        self.name, self.size, self.channels, self.qtype = name, size, channels, qtype
        shape = (*size, channels)
        self.input = HostInput("image", shape, (channels, *size), qtype)
        self.nodes: list[Node] = []
        self.tensor = "image"

    @property
    def here(self) -> tuple[str, tuple[int, int], int, QType]:
        """The present end."""
        return self.tensor, self.size, self.channels, self.qtype

    def goto(self, place: tuple[str, tuple[int, int], int, QType]) -> None:
        """Go on from `place`, a former value of `here`."""
        self.tensor, self.size, self.channels, self.qtype = place

    @property
    def vectors(self) -> int:
        """Pixels of the picture."""
        return self.size[0] * self.size[1]

    def conv(
        self,
        name: str,
        channels: int,
        weight_bits: int,
        kernel: int = 3,
        stride: int = 1,
        pad: int = 0,
    ) -> None:
        """Pad, Window and MatVec, as far as they are needed."""
        self.windows(name, kernel, stride, pad)
        self._product(name, channels, kernel * kernel * self.channels, weight_bits)

    def depthwise(self, name: str, weight_bits: int, stride: int) -> None:
        """A 3x3 convolution of each channel on its own, padded by 1."""
        self.windows(name, 3, stride, 1)
        wtype = weight_type(weight_bits)
        acc = products_type(9, self.qtype, wtype)
        self._add(
            Depthwise(
                name=name,
                channels=self.channels,
                taps=9,
                vectors=self.vectors,
                itype=self.qtype,
                wtype=wtype,
                acc=acc,
                weight=ParamRef(f"{name}.weight", (self.channels, 9), wtype),
            )
        )

    def dense(self, name: str, rows: int, weight_bits: int) -> None:
        """All pixels and channels to `rows` values."""
        cols, self.size = self.vectors * self.channels, (1, 1)
        self._product(name, rows, cols, weight_bits)

    def act(self, name: str, otype: QType) -> None:
        """A quantiser to `otype` with thresholds of each channel."""
        table = ParamRef(f"{name}.thresholds", (self.channels, otype.levels - 1), self.qtype)
        self._add(
            Threshold(
                name=name,
                channels=self.channels,
                vectors=self.vectors,
                itype=self.qtype,
                otype=otype,
                base=otype.min,
                thresholds=table,
            )
        )

    def max_pool(self, name: str, kernel: int, stride: int, pad: int = 0) -> None:
        """Maximum over kernel x kernel pixels."""
        self.windows(name, kernel, stride, pad)
        taps = kernel * kernel
        self._add(
            MaxPool(
                name=name,
                channels=self.channels,
                taps=taps,
                vectors=self.vectors,
                itype=self.qtype,
            )
        )

    def mean(self, name: str) -> None:
        """The sum over the whole picture; the quantiser behind it divides."""
        taps, self.size = self.vectors, (1, 1)
        otype = sum_type(scaled_range(self.qtype, taps))
        fields = {"channels": self.channels, "taps": taps, "vectors": 1}
        self._add(SumPool(name=name, **fields, itype=self.qtype, otype=otype))

    def add(self, name: str, other: tuple[str, tuple[int, int], int, QType]) -> None:
        """The present end plus `other`, a former value of `here` of the same shape."""
        itypes = (self.qtype, other[3])
        self._add(
            Add(
                name=name,
                channels=self.channels,
                vectors=self.vectors,
                itypes=itypes,
                scales=(1, 1),
                otype=sum_type(*(scaled_range(t, 1) for t in itypes)),
            ),
            other[0],
        )

    def classes(self) -> IntGraph:
        """The graph, which ends with the index of the largest channel."""
        otype = QType((self.channels - 1).bit_length(), False)
        fields = {"classes": self.channels, "vectors": 1, "itype": self.qtype, "otype": otype}
        self._add(ArgMax(name="arg_max", **fields))
        output = HostOutput("class", (1,), otype, "class")
        return IntGraph(self.name, tuple(self.nodes), self.input, output, "image", self.tensor)

    def windows(self, name: str, kernel: int, stride: int, pad: int) -> None:
        """The picture as a stream of windows; it is one already where the kernel spans it all."""
        height, width = self.size
        if pad:
            border = dict.fromkeys(("top", "bottom", "left", "right"), pad)
            shape = {"height": height, "width": width, "channels": self.channels}
            self._add(Pad(name=f"{name}_pad", **shape, **border, value=0, itype=self.qtype))
            height, width = height + 2 * pad, width + 2 * pad
        if kernel == height == width:
            height = width = 1
        elif kernel > 1 or stride > 1:
            block = Window(
                name=f"{name}_window",
                height=height,
                width=width,
                channels=self.channels,
                kernel=(kernel, kernel),
                stride=(stride, stride),
                dilation=(1, 1),
                itype=self.qtype,
            )
            self._add(block)
            height, width = block.out_height, block.out_width
        self.size = height, width

    def _product(self, name: str, rows: int, cols: int, weight_bits: int) -> None:
        wtype = weight_type(weight_bits)
        self.channels = rows
        self._add(
            MatVec(
                name=name,
                rows=rows,
                cols=cols,
                vectors=self.vectors,
                itype=self.qtype,
                wtype=wtype,
                acc=products_type(cols, self.qtype, wtype),
                weight=ParamRef(f"{name}.weight", (rows, cols), wtype),
            )
        )

    def _add(self, block: Block, *others: str) -> None:
        self.nodes.append(Node(block, (self.tensor, *others), (block.name,)))
        self.tensor, self.qtype = block.name, block.outputs()[0].qtype
