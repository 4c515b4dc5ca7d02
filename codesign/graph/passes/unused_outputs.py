"""Outputs that nothing reads go: the mask of a Dropout, the indices of a MaxPool."""

from __future__ import annotations

from typing import Any

OPTIONAL = ("Dropout", "MaxPool")


def run(model: Any) -> Any:
    """Drop the second output of nodes that need not have one."""
    read = {name for node in model.graph.node for name in node.input}
    read |= {output.name for output in model.graph.output}
    for node in model.graph.node:
        if node.op_type in OPTIONAL and len(node.output) > 1 and node.output[1] not in read:
            del node.output[1:]
    return model
