"""Which axis of the model's input holds its channels."""

from __future__ import annotations

from typing import Any

from codesign.graph.passes.channels_first import to_first

# Ops that say nothing about the meaning of axes.
SILENT = (
    "Quant",
    "LinearQuant",
    "BipolarQuant",
    "Relu",
    "Clip",
    "Mul",
    "Add",
    "Sub",
    "Div",
    "Identity",
    "Cast",
)


def channels_last_input(model: Any) -> bool:
    """True when the first node that cares moves the last axis to the front, or averages as such."""
    waiting = [model.graph.input[0].name]
    while waiting:
        tensor = waiting.pop()
        rank = len(model.get_tensor_shape(tensor) or ())
        for node in model.find_consumers(tensor) or ():
            attrs = {a.name: list(a.ints) for a in node.attribute}
            if node.op_type == "Transpose":
                return attrs.get("perm") == to_first(rank)
            if node.op_type in SILENT:
                waiting.append(node.output[0])
    return False
