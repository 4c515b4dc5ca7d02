"""Scale and zero point of QuantizeLinear and DequantizeLinear nodes."""

from __future__ import annotations

from typing import Any

import numpy as np

from codesign.graph.passes.node_access import attribute, constant, refuse


def parameters(model: Any, node: Any) -> tuple[np.ndarray, np.ndarray]:
    """Scale (float32) and zero point (int64), shaped to broadcast to the node's input."""
    scale = constant(model, node, 1, "scale")
    zero = constant(model, node, 2, "zero point")
    zero = np.zeros(scale.shape) if zero is None else zero
    return (
        _spread(model, node, np.asarray(scale, np.float32)),
        _spread(model, node, np.asarray(zero).astype(np.int64)),
    )


def _spread(model: Any, node: Any, values: np.ndarray) -> np.ndarray:
    """A vector along the node's axis, or a scalar."""
    if values.size == 1:
        return values.reshape(())
    shape = model.get_tensor_shape(node.input[0])
    axis = attribute(node, "axis", 1)
    if values.ndim != 1 or not -len(shape) <= axis < len(shape) or shape[axis] != values.size:
        raise refuse(
            node,
            f"{values.size} scales for axis {axis} of a tensor of shape {tuple(shape)}",
            "give one scale, or one for each index of the axis",
        )
    return values.reshape([-1 if i == axis % len(shape) else 1 for i in range(len(shape))])


def constants(model: Any, node: Any) -> tuple[str, str]:
    """Both as real initialisers of the model that broadcast: their names."""
    names = f"{node.name}_scale", f"{node.name}_zero"
    for name, values in zip(names, parameters(model, node), strict=True):
        model.set_initializer(name, values.astype(np.float32))
    return names
