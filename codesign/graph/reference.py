"""qonnx's own execution, in batches: the reference that the integers are compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from codesign.graph.passes import (
    canonical_domains,
    fold_constants,
    node_names,
    static_shapes,
    unused_outputs,
)
from codesign.graph.passes.canonical_domains import CHANNELS_LAST
from codesign.graph.read import read_onnx

# Op -> which of its inputs is a shape that begins with the batch.
SHAPE_INPUT = {"Reshape": 1, "Resize": 3}


def rebatched(model: Any, frames: int) -> Any:
    """A copy of `model` whose input holds `frames` frames; constant shapes follow."""
    import copy

    from qonnx.transformation.general import RemoveStaticGraphInputs

    model = copy.deepcopy(model).transform(RemoveStaticGraphInputs())
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = frames
    model.graph.output[0].type.tensor_type.ClearField("shape")
    for node in model.graph.node:
        _widen(model, node, frames)
    return fold_constants.run(static_shapes.run(model))


def _widen(model: Any, node: Any, frames: int) -> None:
    index = SHAPE_INPUT.get(node.op_type, len(node.input))
    target = model.get_initializer(node.input[index]) if index < len(node.input) else None
    if target is not None and target.size and target[0] == 1:
        name = f"{node.name or node.output[0]}_batched_shape"
        model.set_initializer(name, np.array([frames, *target[1:]], np.int64))
        node.input[index] = name


def plain_model(path: Path | str, frames: int) -> Any:
    """The file as it is, for `frames` frames; only domains and missing names are filled in."""
    model = node_names.run(canonical_domains.run(read_onnx(Path(path))))
    model = unused_outputs.run(model)
    return rebatched(model, frames)


def does_the_same(batch: Any, path: Path | str, frames: int) -> bool:
    """True when `batch` computes what the file computes, node by node, in whatever order."""

    def nodes(model: Any) -> list[bytes]:
        return sorted(n.SerializeToString(deterministic=True) for n in model.graph.node)

    def constants(model: Any) -> dict[str, bytes]:
        return {i.name: i.SerializeToString(deterministic=True) for i in model.graph.initializer}

    if _channels_last(canonical_domains.run(read_onnx(Path(path)))):
        return False
    plain = plain_model(path, frames)
    return nodes(batch) == nodes(plain) and constants(batch) == constants(plain)


def run_qonnx(path: Path | str, x: np.ndarray) -> np.ndarray:
    """Output of the file as it is, executed by qonnx on inputs (frames, *shape)."""
    model = canonical_domains.run(read_onnx(Path(path)))
    if _channels_last(model):
        # qonnx infers no shapes across channels-last layers: the file's own, so frame by frame.
        return np.concatenate([_run(model, frame[None]) for frame in x])
    return _run(plain_model(path, len(x)), x)


def _channels_last(model: Any) -> bool:
    return any(node.domain == CHANNELS_LAST for node in model.graph.node)


def _run(model: Any, x: np.ndarray) -> np.ndarray:
    from qonnx.core.onnx_exec import execute_onnx

    name = model.graph.input[0].name
    result = execute_onnx(model, {name: np.asarray(x, input_dtype(model))})
    return result[model.graph.output[0].name]


def input_dtype(model: Any) -> np.dtype:
    """NumPy's type of the model's input; float32 but for networks of integers throughout."""
    from onnx.helper import tensor_dtype_to_np_dtype

    return tensor_dtype_to_np_dtype(model.graph.input[0].type.tensor_type.elem_type)


def start_context(model: Any, x: np.ndarray) -> dict[str, np.ndarray]:
    """Tensors of a rebatched model before its first node."""
    context = model.make_empty_exec_context()
    context[model.graph.input[0].name] = np.asarray(x, np.float32)
    return context


def run_node(model: Any, node: Any, context: dict[str, np.ndarray]) -> None:
    """Execute one node by qonnx; its outputs go into `context`."""
    from qonnx.core.onnx_exec import execute_node
    from qonnx.util.basic import get_preferred_qonnx_opset

    versions = model.get_opset_imports()
    version = versions.get(node.domain, get_preferred_qonnx_opset())
    execute_node(node, context, model.graph, version)
