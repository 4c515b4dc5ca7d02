"""One real input with static shape and batch 1."""

from __future__ import annotations

from typing import Any

from codesign.errors import BadInput


def run(model: Any) -> Any:
    """Drop initialisers from the inputs, set the batch to 1; raises BadInput."""
    from qonnx.transformation.general import RemoveStaticGraphInputs

    model = model.transform(RemoveStaticGraphInputs())
    # Before version 4 of the format every initialiser had to be an input, too.
    model.model.ir_version = max(model.model.ir_version, 4)
    inputs = model.graph.input
    if len(inputs) != 1 or len(model.graph.output) != 1:
        raise BadInput(
            f"{model.graph.name}: needs one input and one output, found inputs "
            f"{[i.name for i in inputs]} and outputs {[o.name for o in model.graph.output]}; "
            "export the part of the model between one input and one output"
        )
    result = model.graph.output[0].name
    if not any(result in node.output for node in model.graph.node):
        raise BadInput(
            f"{model.graph.name}: its output {result!r} must be the result of a node, not an input or "
            "a constant; export the model with the layers between both"
        )
    _fix(inputs[0])
    output = model.graph.output[0].type.tensor_type
    output.ClearField("shape")
    return model


def _fix(tensor: Any) -> None:
    dims = tensor.type.tensor_type.shape.dim
    if not dims:
        raise BadInput(f"input {tensor.name}: has no shape; export with a fixed input shape")
    dims[0].dim_value = 1
    free = [i for i, d in enumerate(dims) if d.dim_value < 1]
    if free:
        raise BadInput(
            f"input {tensor.name}: axis {free[0]} has no fixed size; hardware needs one, "
            "so export with a fixed input shape"
        )
