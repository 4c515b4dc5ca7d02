"""Which quantiser stands before and behind each layer that holds weights."""

from __future__ import annotations

from collections.abc import Callable

from codesign.graph.ir import IntGraph, Node
from codesign.search.retyping import act_bits_of, retype, weight_bits_of


def quantisers_behind(graph: IntGraph) -> dict[str, tuple[str, ...]]:
    """Per block with weights: the nearest quantising blocks downstream, before other weights."""
    readers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for tensor in node.inputs:
            readers.setdefault(tensor, []).append(node)
    return _nearest(graph, lambda node: [n for t in node.outputs for n in readers.get(t, [])])


def quantisers_before(graph: IntGraph) -> dict[str, tuple[str, ...]]:
    """Per block with weights: the nearest quantising blocks upstream, behind other weights."""
    writer = {tensor: node for node in graph.nodes for tensor in node.outputs}
    return _nearest(graph, lambda node: [writer[t] for t in node.inputs if t in writer])


def inner_quantisers(graph: IntGraph) -> tuple[str, ...]:
    """Quantising blocks between weights: not those of the network's input, nor of its output."""
    behind = {q for names in quantisers_behind(graph).values() for q in names}
    before = {q for names in quantisers_before(graph).values() for q in names}
    return tuple(name for name in act_bits_of(graph) if name in behind and name in before)


def uniform(graph: IntGraph, bits: int) -> IntGraph:
    """`graph` with all weights, and all activations between weights, at `bits` bits."""
    weights = dict.fromkeys(weight_bits_of(graph), bits)
    return retype(graph, weights, dict.fromkeys(inner_quantisers(graph), bits))


def _nearest(
    graph: IntGraph, neighbours: Callable[[Node], list[Node]]
) -> dict[str, tuple[str, ...]]:
    weighted, quantising = weight_bits_of(graph), act_bits_of(graph)
    nearest = {}
    for node in graph.nodes:
        if node.block.name in weighted:
            found = _first_met(node, neighbours, quantising.keys(), weighted.keys())
            nearest[node.block.name] = found
    return nearest


def _first_met(
    start: Node, neighbours: Callable[[Node], list[Node]], wanted: object, ends: object
) -> tuple[str, ...]:
    """Names of the `wanted` nodes met first on every way from `start`; `ends` stop the walk."""
    seen, waiting, met = set(), neighbours(start), []
    while waiting:
        node = waiting.pop(0)
        name = node.block.name
        if name in seen:
            continue
        seen.add(name)
        if name in wanted:
            met.append(name)
        elif name not in ends:
            waiting += neighbours(node)
    return tuple(met)
