"""Other bit widths for a graph or a design: types follow from block to block, nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import msgspec

from codesign.blocks.base import Block
from codesign.design import Design, Stream
from codesign.errors import BadInput
from codesign.graph.execute import graph_of
from codesign.graph.ir import IntGraph, Node
from codesign.types import QType

Bits = Mapping[str, int]


def weight_bits_of(graph: IntGraph) -> dict[str, int]:
    """Bits of the weights of each block that holds weights."""
    return {n.block.name: n.block.wtype.bits for n in graph.nodes if hasattr(n.block, "wtype")}


def act_bits_of(graph: IntGraph) -> dict[str, int]:
    """Bits of the activations that each quantising block gives out."""
    nodes = (n.block for n in graph.nodes if hasattr(n.block, "requantised"))
    return {block.name: block.otype.bits for block in nodes}


def retype(graph: IntGraph, weight_bits: Bits, act_bits: Bits) -> IntGraph:
    """`graph` with other bits for the weights and the activations of the named blocks.

    `weight_bits` names blocks that hold weights, `act_bits` quantising blocks; all others keep
    theirs. The result has types but no parameters: it can be folded and estimated, not executed.
    Raises BadInput for a name that is neither, or bits outside 1..32.
    """
    changed = _changed(graph, weight_bits, act_bits)
    nodes = tuple(replace(n, block=changed.get(n.block.name, n.block)) for n in graph.nodes)
    last = next(n for n in nodes if graph.output_tensor in n.outputs)
    qtype = last.block.outputs()[last.outputs.index(graph.output_tensor)].qtype
    output = msgspec.structs.replace(graph.output, qtype=qtype)
    return replace(graph, nodes=nodes, output=output, params={}, views=())


@dataclass(frozen=True)
class Retyper:
    """Retypes one design again and again; each answer holds only the parts that change."""

    design: Design

    @cached_property
    def graph(self) -> IntGraph:
        """The design as a graph whose tensors are the source ends of its streams."""
        return graph_of(self.design, {})

    @cached_property
    def streams(self) -> dict[str, Stream]:
        """Streams by source end."""
        return {s.source: s for s in self.design.streams}

    def changed(
        self, weight_bits: Bits, act_bits: Bits
    ) -> tuple[dict[str, Block], dict[str, Stream]]:
        """Blocks and streams that differ, by name; depths and lanes stay."""
        blocks = _changed(self.graph, weight_bits, act_bits)
        streams = {}
        for name, block in blocks.items():
            for i, port in enumerate(block.outputs()):
                stream = self.streams[f"{name}.out{i}"]
                if stream.qtype != port.qtype:
                    streams[stream.name] = msgspec.structs.replace(stream, qtype=port.qtype)
        return blocks, streams

    def retyped(self, weight_bits: Bits, act_bits: Bits) -> Design:
        """The whole design with other bits, under the same folding and depths."""
        blocks, streams = self.changed(weight_bits, act_bits)
        graph = retype(self.graph, weight_bits, act_bits)
        return msgspec.structs.replace(
            self.design,
            output=graph.output,
            blocks=tuple(blocks.get(b.name, b) for b in self.design.blocks),
            streams=tuple(streams.get(s.name, s) for s in self.design.streams),
        )


def _changed(graph: IntGraph, weight_bits: Bits, act_bits: Bits) -> dict[str, Block]:
    """Blocks that differ, by name, in flow order."""
    _check_names(graph, weight_bits, act_bits)
    types: dict[str, QType] = {}
    blocks: dict[str, Block] = {}
    for node in graph.nodes:
        name = node.block.name
        if (
            name not in weight_bits
            and name not in act_bits
            and types.keys().isdisjoint(node.inputs)
        ):
            continue
        block = _retyped(node, types, weight_bits.get(name), act_bits.get(name))
        if block == node.block:
            continue
        blocks[name] = block
        for tensor, old, new in zip(
            node.outputs, node.block.outputs(), block.outputs(), strict=True
        ):
            if old.qtype != new.qtype:
                types[tensor] = new.qtype
    return blocks


def _retyped(
    node: Node, types: Mapping[str, QType], weight_bits: int | None, act_bits: int | None
) -> Block:
    ports = zip(node.inputs, node.block.inputs(), strict=True)
    inputs = [types.get(tensor, port.qtype) for tensor, port in ports]
    block = node.block.retyped(*inputs) if not types.keys().isdisjoint(node.inputs) else node.block
    if weight_bits is not None:
        block = block.reweighted(weight_bits)
    return block if act_bits is None else block.requantised(act_bits)


def _check_names(graph: IntGraph, weight_bits: Bits, act_bits: Bits) -> None:
    for what, bits, known in (
        ("weights", weight_bits, weight_bits_of(graph)),
        ("quantised activations", act_bits, act_bits_of(graph)),
    ):
        for name, width in bits.items():
            if name not in known:
                raise BadInput(
                    f"graph {graph.name}: block {name!r} has no {what}; those that have are "
                    f"{', '.join(known)}",
                    block=name,
                    known=list(known),
                )
            if not 1 <= width <= 32:
                raise BadInput(
                    f"graph {graph.name}: {what} of {name} must have 1 to 32 bits, not {width}",
                    block=name,
                    found=width,
                )
