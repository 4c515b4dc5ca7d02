"""Graphs of random blocks, built block by block, for tests/hw/random_graphs.py."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from codesign import blocks as b
from codesign.blocks.base import Block, ParamRef
from codesign.blocks.samples import reference, sample
from codesign.design import HostInput, HostOutput
from codesign.graph.ir import IntGraph, Node
from codesign.types import BIPOLAR, TERNARY, QType
from tests.hw.random_blocks import accumulator, any_type, integer

MOST_BITS = 8  # of what a weighted block reads


@dataclass(frozen=True)
class Tensor:
    """A tensor of the graph: (height, width, channels) of a type."""

    name: str
    height: int
    width: int
    channels: int
    qtype: QType

    @property
    def pixels(self) -> int:
        """Positions."""
        return self.height * self.width

    @property
    def values(self) -> int:
        """Elements."""
        return self.pixels * self.channels


class Sketch:
    """Builds a graph; most methods take a tensor and return the one behind a new block."""

    def __init__(self, dice: random.Random, name: str) -> None:
        self.dice, self.name = dice, name
        self.nodes: list[Node] = []
        self.params: dict[str, np.ndarray] = {}

    def begin(self) -> Tensor:
        """The host's input."""
        dice = self.dice
        size = dice.randint(1, 6), dice.randint(1, 6), dice.choice((1, 2, 3, 4, 6))
        qtype = dice.choice((any_type(dice), integer(dice, 16)))
        self.input = HostInput("x", size, (size[2], *size[:2]), qtype)
        return Tensor("x", *size, qtype)

    def graph(self, last: Tensor) -> IntGraph:
        """The finished graph."""
        shape = last.height, last.width, last.channels
        output = HostOutput("y", shape, last.qtype)
        nodes = tuple(self.nodes)
        return IntGraph(self.name, nodes, self.input, output, "x", last.name, self.params)

    def node(self, block: Block, shape: tuple[int, int, int], *inputs: Tensor) -> Tensor:
        """Append `block`."""
        self.nodes.append(Node(block, tuple(t.name for t in inputs), (block.name,)))
        return Tensor(block.name, *shape, block.outputs()[0].qtype)

    def named(self, kind: str) -> str:
        """A name that no other block of any graph has."""
        return f"{self.name}_{kind}{len(self.nodes)}"

    def array(self, name: str, values: np.ndarray) -> ParamRef:
        """A parameter of the graph."""
        self.params[name] = values
        return reference(name, values)

    def kept(self, block: Block, source: Tensor) -> Tensor:
        """A block that keeps the shape."""
        return self.node(block, (source.height, source.width, source.channels), source)

    def narrow(self, source: Tensor) -> Tensor:
        """A type that the next block may read."""
        return source if source.qtype.bits <= MOST_BITS else self.quantised(source)

    def quantised(self, source: Tensor) -> Tensor:
        return self.dice.choice((self.threshold, self.requantise))(source)

    def threshold(self, source: Tensor) -> Tensor:
        itype, otype = source.qtype, self.dice.choice((BIPOLAR, TERNARY, integer(self.dice, 4)))
        name, rows = self.named("act"), self.dice.choice((1, source.channels))
        span = range(itype.min, itype.max + 2)
        limits = [sorted(self.dice.choices(span, k=otype.levels - 1)) for _ in range(rows)]
        shape = {"channels": source.channels, "vectors": source.pixels}
        limits_ref = self.array(f"{name}.thresholds", np.array(limits))
        types = {"itype": itype, "otype": otype, "base": otype.min}
        block = b.Threshold(name=name, **shape, **types, thresholds=limits_ref)
        return self.kept(block, source)

    def requantise(self, source: Tensor) -> Tensor:
        if source.qtype.kind != "int":
            return self.threshold(source)
        name, seed = self.named("requantise"), self.dice.randrange(1 << 30)
        m = sample(integer(self.dice), self.dice.choice((1, source.channels)), seed=seed)
        bias = sample(integer(self.dice, 9), 1, seed=seed)
        refs = {"multiplier": self.array(f"{name}.m", m), "bias": self.array(f"{name}.b", bias)}
        shape = {"channels": source.channels, "vectors": source.pixels}
        types = {"itype": source.qtype, "otype": integer(self.dice, 6)}
        shift = self.dice.randint(0, 12)
        return self.kept(b.Requantise(name=name, shift=shift, **shape, **types, **refs), source)

    def project(self, source: Tensor, channels: int, always: bool = False) -> Tensor:
        """Other channels from those of each pixel."""
        if channels == source.channels and not always:
            return source
        return self.product(source, channels, source.pixels, (source.height, source.width))

    def product(self, source: Tensor, rows: int, vectors: int, size: tuple[int, int]) -> Tensor:
        """A matrix-vector unit over `vectors` equal parts of the tensor."""
        cols = source.values // vectors
        fields, name = self.weights("mvu", source.qtype, rows, cols)
        block = b.MatVec(name=name, rows=rows, cols=cols, vectors=vectors, **fields)
        return self.node(block, (*size, rows), source)

    def weights(self, kind: str, itype: QType, *shape: int) -> tuple[dict, str]:
        """(types and reference, name) of a weighted block."""
        name, wtype = self.named(kind), any_type(self.dice, 4)
        weight = sample(wtype, *shape, seed=self.dice.randrange(1 << 30))
        ref = self.array(f"{name}.weight", weight)
        acc = accumulator(weight, itype)
        return {"itype": itype, "wtype": wtype, "acc": acc, "weight": ref}, name

    def padded(self, source: Tensor, border: int) -> Tensor:
        name, itype = self.named("pad"), source.qtype
        sides = dict.fromkeys(("top", "bottom", "left", "right"), border)
        size = {"height": source.height, "width": source.width, "channels": source.channels}
        value = int(sample(itype, 1, seed=len(self.nodes))[0])
        block = b.Pad(name=name, itype=itype, value=value, **sides, **size)
        return self.node(block, (block.out_height, block.out_width, source.channels), source)

    def windows(
        self, source: Tensor, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1)
    ) -> Tensor:
        size = {"height": source.height, "width": source.width, "channels": source.channels}
        block = b.Window(
            name=self.named("window"),
            **size,
            kernel=kernel,
            stride=stride,
            dilation=(1, 1),
            itype=source.qtype,
        )
        channels = kernel[0] * kernel[1] * source.channels
        return self.node(block, (block.out_height, block.out_width, channels), source)
