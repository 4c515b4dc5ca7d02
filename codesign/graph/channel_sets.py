"""Which channel counts of a network may be padded, and which of them only together.

A tensor is a run of chunks: the channels of one pixel after the other. A product writes chunks of its
rows; windows, pools, borders, quantisers and sums keep them, a concatenation puts two beside each other,
a product reads whole chunks. Sums tie the counts of both sides together. The host, and what takes
chunks apart, needs the counts as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from codesign.blocks import Add, Concat, Depthwise, MatVec, Pad, Window, ZeroInsert
from codesign.blocks.pool import Pool
from codesign.blocks.quantiser import Quantiser
from codesign.graph.ir import IntGraph, Node
from codesign.types import QType

# Blocks with a field `channels`, whose outputs have the channels of their inputs.
CHANNELWISE = (Depthwise, Window, Pad, ZeroInsert, Quantiser, Pool, Add)
# Numbers of sets whose channels stand beside each other in a chunk.
Chunk = tuple[int, ...]


@dataclass(frozen=True)
class ChannelSet:
    """`layers` write chunks of `channels` that must be padded alike.

    `pairs`: a reader's weights have no zero, so that channels must be added two by two. `fixed` says
    why the count has to stay, "" where it need not.
    """

    layers: tuple[str, ...]
    channels: int
    pairs: bool = False
    fixed: str = ""


@dataclass(frozen=True)
class Channels:
    """`sets`, and for each tensor the chunk that it is a run of."""

    sets: tuple[ChannelSet, ...]
    chunks: dict[str, Chunk]


def has_zero(qtype: QType) -> bool:
    """Whether 0 is a value of the type."""
    return qtype.kind != "bipolar" and qtype.min <= 0 <= qtype.max


def channels_of(graph: IntGraph) -> Channels:
    """The sets of `graph`, in the order in which their first layers stand."""
    finder = _Finder()
    finder.rigid(graph.input_tensor, "the host sends it")
    for node in graph.nodes:
        finder.node(node)
    finder.fix(finder.chunks[graph.output_tensor], "the host receives it")
    return finder.found()


@dataclass
class _Finder:
    """Sets that grow together (`parent`) while the graph is walked."""

    parent: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    layers: list[list[str]] = field(default_factory=list)
    pairs: list[bool] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    chunks: dict[str, Chunk] = field(default_factory=dict)

    def node(self, node: Node) -> None:
        """What a block does with the chunks it reads."""
        block, read = node.block, [self.chunks[t] for t in node.inputs]
        if isinstance(block, MatVec):
            self._product(block, read[0])
            self.chunks[node.outputs[0]] = (self._new(block.rows, block.name),)
        elif isinstance(block, CHANNELWISE) and self._whole(block.channels, read):
            self.chunks[node.outputs[0]] = self._together(read)
        elif isinstance(block, Concat) and self._concatenates(block, read):
            self.chunks[node.outputs[0]] = read[0] + read[1]
        else:
            self._apart(node, read)

    def rigid(self, tensor: str, reason: str) -> None:
        """A tensor whose elements stay where they are."""
        number = self._new(1)
        self.fixed[number] = reason
        self.chunks[tensor] = (number,)

    def fix(self, chunk: Iterable[int], reason: str) -> None:
        """The counts of these sets have to stay."""
        for number in map(self._root, chunk):
            self.fixed[number] = self.fixed[number] or reason

    def found(self) -> Channels:
        """The sets, numbered anew."""
        roots = sorted({self._root(i) for i in range(len(self.parent))})
        places = {root: place for place, root in enumerate(roots)}
        sets = tuple(
            ChannelSet(tuple(self.layers[r]), self.sizes[r], self.pairs[r], self.fixed[r])
            for r in roots
        )
        chunks = {t: tuple(places[self._root(i)] for i in c) for t, c in self.chunks.items()}
        return Channels(sets, chunks)

    def _product(self, block: MatVec, chunk: Chunk) -> None:
        if block.cols % self._size(chunk):
            self.fix(chunk, f"{block.name} reads a part of its channels at a time")
        if not has_zero(block.wtype):
            for number in map(self._root, chunk):
                self.pairs[number] = True

    def _whole(self, channels: int, read: list[Chunk]) -> bool:
        """Whether a block with `channels` reads whole chunks, of one kind from all inputs."""
        kinds = {tuple(self.sizes[self._root(i)] for i in chunk) for chunk in read}
        return len(kinds) == 1 and channels % self._size(read[0]) == 0

    def _together(self, read: list[Chunk]) -> Chunk:
        """The chunk of all inputs, their sets from now on one."""
        for other in read[1:]:
            for a, b in zip(read[0], other, strict=True):
                self._join(a, b)
        return read[0]

    def _concatenates(self, block: Concat, read: list[Chunk]) -> bool:
        return all(n == self._size(c) for n, c in zip(block.chunks, read, strict=True))

    def _apart(self, node: Node, read: list[Chunk]) -> None:
        for chunk in read:
            self.fix(chunk, f"{node.block.name} takes its channels apart")
        for tensor in node.outputs:
            self.rigid(tensor, f"{node.block.name} writes it")

    def _new(self, size: int, *layers: str) -> int:
        self.parent.append(len(self.parent))
        self.sizes.append(size)
        self.layers.append(list(layers))
        self.pairs.append(False)
        self.fixed.append("")
        return len(self.parent) - 1

    def _join(self, a: int, b: int) -> None:
        a, b = sorted((self._root(a), self._root(b)))
        if a != b:
            self.parent[b] = a
            self.layers[a] += self.layers[b]
            self.pairs[a] |= self.pairs[b]
            self.fixed[a] = self.fixed[a] or self.fixed[b]

    def _root(self, number: int) -> int:
        while self.parent[number] != number:
            number = self.parent[number]
        return number

    def _size(self, chunk: Chunk) -> int:
        return sum(self.sizes[self._root(i)] for i in chunk)
