"""A graph read back from a Design, without the blocks that only its folding needed."""

from __future__ import annotations

from dataclasses import replace

from codesign.blocks.fork import Fork
from codesign.blocks.width_converter import WidthConverter
from codesign.graph.ir import IntGraph, Node

PLUMBING = (Fork, WidthConverter)


def without_plumbing(graph: IntGraph) -> IntGraph:
    """The same network without forks and width converters, so that it can be folded anew."""
    source: dict[str, str] = {}
    for node in graph.nodes:
        if isinstance(node.block, PLUMBING):
            inner = source.get(node.inputs[0], node.inputs[0])
            source.update(dict.fromkeys(node.outputs, inner))
    nodes = tuple(
        Node(n.block, tuple(source.get(t, t) for t in n.inputs), n.outputs)
        for n in graph.nodes
        if not isinstance(n.block, PLUMBING)
    )
    output = source.get(graph.output_tensor, graph.output_tensor)
    return replace(graph, nodes=nodes, output_tensor=output)
