"""Pads channel counts, so that more foldings are legal; the network computes the same.

Every channel that is added is a copy of the first one of its set, from the product that writes it to
the product that reads it: a copy never leaves the range of a type, whatever stands between. The reader
gives copies the weight 0, or +1 and -1 in turn where its weights have no 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from codesign.blocks import Concat, MatVec
from codesign.blocks.arrays import only_value
from codesign.blocks.base import Block, Fold, ParamRef
from codesign.errors import BadInput
from codesign.graph.channel_sets import Channels, Chunk, channels_of, has_zero
from codesign.graph.ir import IntGraph, Node
from codesign.npz import digest_of


@dataclass(frozen=True)
class Layout:
    """Where the channels of a padded chunk come from: `source` (n,), and which are `added` (n,)."""

    source: np.ndarray
    added: np.ndarray

    def repeated(self, times: int) -> Layout:
        """The layout of that many chunks."""
        size = int((~self.added).sum())
        starts = np.repeat(np.arange(times) * size, len(self.source))
        return Layout(np.tile(self.source, times) + starts, np.tile(self.added, times))


def pad_channels(graph: IntGraph, sizes: Mapping[str, int]) -> IntGraph:
    """`graph` with the channels that the named layers write padded to these counts.

    A layer stands for all that are padded with it. Blocks lose their folding, tensors their views; a
    note says what was padded.
    Raises BadInput for a layer that writes no channels, a count below the present one or odd where
    channels come in pairs, and for channels that must stay.
    """
    padder = _Padder(graph, channels_of(graph), {})
    for layer, size in sizes.items():
        padder.ask(layer, size)
    nodes = tuple(map(padder.node, graph.nodes))
    params, notes = {**graph.params, **padder.params}, (*graph.notes, *padder.notes())
    return replace(graph, nodes=nodes, params=params, notes=notes, views=())


@dataclass
class _Padder:
    """Blocks and parameters under the sizes asked for (by set)."""

    graph: IntGraph
    channels: Channels
    sizes: dict[int, int]
    params: dict[str, np.ndarray] = field(default_factory=dict)

    def ask(self, layer: str, size: int) -> None:
        """Pad the set of `layer` to `size` channels."""
        number, found = next(
            ((i, s) for i, s in enumerate(self.channels.sets) if layer in s.layers), (-1, None)
        )
        if found is None:
            known = [name for s in self.channels.sets if not s.fixed for name in s.layers]
            raise BadInput(
                f"padding: {layer!r} writes no channels; those that do are {', '.join(known)}",
                layer=layer,
            )
        added = size - found.channels
        rule = f"cannot be padded: {found.fixed}" if found.fixed and added else ""
        if added < 0:
            rule = f"has {found.channels} channels and cannot have less, not {size}"
        if found.pairs and added % 2:
            rule = f"has {found.channels} channels and bipolar readers: add an even number of them"
        if rule:
            raise BadInput(f"padding: {layer} {rule}", layer=layer, found=size)
        self.sizes[number] = size

    def notes(self) -> tuple[str, ...]:
        """What was padded, in words; nothing where nothing was."""
        sets = self.channels.sets
        changes = [
            f"{', '.join(sets[i].layers)} from {sets[i].channels} to {size}"
            for i, size in self.sizes.items()
            if size != sets[i].channels
        ]
        return (f"channels padded: {'; '.join(changes)}",) if changes else ()

    def node(self, node: Node) -> Node:
        """The node with padded channels."""
        block = node.block
        chunks = [self.channels.chunks[t] for t in (*node.inputs, *node.outputs)]
        if all(i not in self.sizes for chunk in chunks for i in chunk):
            return node
        if isinstance(block, MatVec):
            block = self._product(block, *chunks)
        elif isinstance(block, Concat):
            sizes = tuple(len(self._layout(chunk).source) for chunk in chunks[:2])
            block = msgspec.structs.replace(block, chunks=sizes)
        else:
            block = self._channelwise(block, chunks[0])
        return replace(node, block=msgspec.structs.replace(block, fold=Fold()))

    def _layout(self, chunk: Chunk, elements: int | None = None) -> Layout:
        """The layout of a chunk, or of the run of chunks that held `elements` before."""
        source, added, first = [], [], 0
        for number in chunk:
            size = self.channels.sets[number].channels
            more = self.sizes.get(number, size) - size
            source += [*range(first, first + size), *[first] * more]
            added += [False] * size + [True] * more
            first += size
        layout = Layout(np.array(source), np.array(added))
        return layout if elements is None else layout.repeated(elements // first)

    def _product(self, block: MatVec, read: Chunk, written: Chunk) -> MatVec:
        rows, cols = self._layout(written), self._layout(read, block.cols)
        shape = len(rows.source), len(cols.source)
        values = self.graph.params.get(block.weight.name)
        if values is not None:
            cancelling = 0 if has_zero(block.wtype) else 1 - 2 * (np.arange(cols.added.sum()) % 2)
            values = values[np.ix_(rows.source, cols.source)]
            values[:, cols.added] = cancelling
        weight = self._kept(block.weight, shape, values)
        return msgspec.structs.replace(block, rows=shape[0], cols=shape[1], weight=weight)

    def _channelwise(self, block: Block, read: Chunk) -> Block:
        """A block that treats channels alike, or each with its row of every table."""
        layout = self._layout(read, block.channels)
        changes: dict[str, object] = {"channels": len(layout.source)}
        for name in block.__struct_fields__:
            ref = getattr(block, name)
            if isinstance(ref, ParamRef) and ref.shape[0] == block.channels:
                values = self.graph.params.get(ref.name)
                values = None if values is None else values[layout.source]
                changes[name] = self._kept(ref, (len(layout.source), *ref.shape[1:]), values)
        return msgspec.structs.replace(block, **changes)

    def _kept(self, ref: ParamRef, shape: tuple[int, ...], values: np.ndarray | None) -> ParamRef:
        """The reference to padded values; to a shape alone where the graph has no values."""
        if values is None:
            return msgspec.structs.replace(ref, shape=shape, digest="", value=None)
        array = self.params[ref.name] = np.ascontiguousarray(values)
        digest, value = digest_of(array), only_value(array)
        return msgspec.structs.replace(ref, shape=shape, digest=digest, value=value)
