"""Nodes and tensors that the output does not depend on go."""

from __future__ import annotations

from typing import Any


def run(model: Any) -> Any:
    """Keep what the graph output reaches, in topological order."""
    from qonnx.transformation.general import RemoveUnusedTensors, SortGraph

    needed = {output.name for output in model.graph.output}
    model = model.transform(SortGraph())
    for node in reversed(list(model.graph.node)):
        if needed.isdisjoint(node.output):
            model.graph.node.remove(node)
        else:
            needed.update(node.input)
    return model.transform(RemoveUnusedTensors())
