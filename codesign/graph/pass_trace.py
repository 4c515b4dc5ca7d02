"""The debug mode of the pass list: which pass is the first to change a result."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codesign.graph.passes import apply, canonical_domains, node_names, static_batch, static_shapes
from codesign.graph.passes.canonical_domains import CHANNELS_LAST
from codesign.graph.read import read_onnx
from codesign.graph.reference import input_dtype


@dataclass(frozen=True)
class PassResult:
    """What a pass did to the outputs: how many frames changed, and by how much at most."""

    name: str
    nodes: int
    changed_frames: int
    largest_change: float


def trace_passes(path: Path | str, x: np.ndarray) -> tuple[PassResult, ...]:
    """Execute the graph of `path` by qonnx after every pass, on real inputs (frames, *ONNX shape).

    Each pass is compared with the one before, bit for bit. Raises BadInput and UnsupportedLayer.
    """
    model = read_onnx(Path(path))
    shape = model.get_tensor_shape(model.graph.output[0].name)
    before = _outputs(model, x, shape)
    results = []
    for name, current in apply(model):
        after = _outputs(current, x, shape)
        change = np.abs(after.reshape(len(x), -1) - before.reshape(len(x), -1)).max(axis=1)
        results.append(
            PassResult(
                name, len(current.graph.node), int(np.count_nonzero(change)), float(change.max())
            )
        )
        before = after
    return tuple(results)


def first_change(results: tuple[PassResult, ...]) -> PassResult | None:
    """The first pass that changed a result; None where all outputs stayed the same."""
    return next((r for r in results if r.changed_frames), None)


def _outputs(model: Any, x: np.ndarray, shape: list[int] | None) -> np.ndarray:
    """Outputs of a half-tidied graph, frame by frame: what execution needs is made on a copy."""
    from qonnx.core.onnx_exec import execute_onnx

    model = node_names.run(canonical_domains.run(copy.deepcopy(model)))
    model = static_batch.run(model)
    name, output = model.graph.input[0].name, model.graph.output[0].name
    if any(node.domain == CHANNELS_LAST for node in model.graph.node):
        model.set_tensor_shape(output, shape)  # qonnx wants the file's own shapes there
    else:
        model = static_shapes.run(model)
    frames = np.asarray(x, input_dtype(model))
    return np.stack([execute_onnx(model, {name: frame[None]})[output] for frame in frames])
