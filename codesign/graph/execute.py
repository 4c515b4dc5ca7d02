"""Reference execution in exact integers: graph or Design, block by block, on whole batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from codesign.blocks.base import Block, Params
from codesign.design import HOST, Design, HostInput
from codesign.errors import BadInput
from codesign.graph.ir import IntGraph, Node

CHUNK_VALUES = 1 << 24


def execute(graph: IntGraph, x: np.ndarray, keep: bool = False):
    """Outputs (frames, elements) for integers `x` (frames, elements) in stream order.

    With `keep` also a dictionary of all integer tensors. Raises BadInput when `x` does not fit
    the input.
    """
    x = _checked(graph.input, x)
    if keep:
        tensors = _run(graph, x, None)
        return tensors[graph.output_tensor], tensors
    last = _last_uses(graph)
    widest = max(p.elements for n in graph.nodes for p in (*n.block.inputs(), *n.block.outputs()))
    chunk = max(1, CHUNK_VALUES // widest)
    parts = [
        _run(graph, x[i : i + chunk], last)[graph.output_tensor] for i in range(0, len(x), chunk)
    ]
    return np.concatenate(parts)


def require_shape(host: HostInput, x: np.ndarray) -> None:
    """Raise BadInput unless `x` is of shape (frames, *onnx_shape)."""
    if x.shape[1:] != tuple(host.onnx_shape):
        raise BadInput(
            f"input {host.name}: must have shape (frames, {', '.join(map(str, host.onnx_shape))}), "
            f"not {x.shape}",
            found=x.shape,
        )


def real_numbers(host: HostInput, x: np.ndarray) -> np.ndarray:
    """`x` as float64; raises BadInput where it holds anything but finite numbers."""
    try:
        real = np.asarray(x, np.float64)
    except (TypeError, ValueError) as error:
        raise BadInput(f"input {host.name}: must be an array of numbers ({error})") from error
    if not np.isfinite(real).all():
        raise BadInput(f"input {host.name}: must hold finite numbers, found NaN or infinity")
    return real


def to_stream(host: HostInput, x: np.ndarray) -> np.ndarray:
    """Integers (frames, *onnx_shape) as (frames, elements) in stream order; raises BadInput."""
    x = np.asarray(x)
    require_shape(host, x)
    if len(host.shape) == len(host.onnx_shape) > 1 and not host.channels_last:
        x = np.moveaxis(x, 1, -1)
    return np.ascontiguousarray(x).reshape(len(x), -1)


def from_real(host: HostInput, x: np.ndarray) -> np.ndarray:
    """The integers q nearest to real inputs, as the host sends them: real = scale*q + offset.

    Raises BadInput for what is no finite number.
    """
    q = (real_numbers(host, x) - host.offset) / host.scale
    if host.qtype.step == 2:
        return np.where(q >= 0, 1, -1)
    return np.clip(np.rint(q), host.qtype.min, host.qtype.max).astype(np.int64)


def execute_design(design: Design, params: Params, x: np.ndarray) -> np.ndarray:
    """Outputs (frames, elements) of a Design: the same integers as its graph gives."""
    return execute(graph_of(design, params), x)


def graph_of(design: Design, params: Params) -> IntGraph:
    """A Design read back as an integer graph, forks and width converters included."""
    sources = {s.target: s.source for s in design.streams}
    nodes = tuple(_node(block, sources) for block in design.blocks)
    return IntGraph(
        name=design.name,
        nodes=_sorted(nodes),
        input=design.input,
        output=design.output,
        input_tensor=HOST,
        output_tensor=sources[HOST],
        params=dict(params),
        origins=design.origins,
        notes=design.notes,
    )


def _node(block: Block, sources: Mapping[str, str]) -> Node:
    inputs = tuple(sources[f"{block.name}.in{i}"] for i in range(len(block.inputs())))
    outputs = tuple(f"{block.name}.out{i}" for i in range(len(block.outputs())))
    return Node(block, inputs, outputs)


def _sorted(nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Topological order, otherwise as given."""
    known, waiting, done = {HOST}, list(nodes), []
    while waiting:
        ready = [n for n in waiting if known.issuperset(n.inputs)]
        if not ready:
            raise BadInput(f"design: blocks {[n.block.name for n in waiting]} feed each other")
        done += ready
        known.update(t for n in ready for t in n.outputs)
        waiting = [n for n in waiting if n not in ready]
    return tuple(done)


def _run(graph: IntGraph, x: np.ndarray, last: Mapping[str, int] | None) -> dict[str, np.ndarray]:
    """All tensors, or only those still needed where `last` names each one's last reader."""
    tensors = {graph.input_tensor: x}
    for i, node in enumerate(graph.nodes):
        results = node.block.execute(graph.params, *(tensors[t] for t in node.inputs))
        tensors.update(zip(node.outputs, results, strict=True))
        if last is not None:
            _drop(tensors, (t for t in (*node.inputs, *node.outputs) if last.get(t, i) <= i))
    return tensors


def _drop(tensors: dict[str, np.ndarray], names: Iterable[str]) -> None:
    for name in names:
        tensors.pop(name, None)


def _last_uses(graph: IntGraph) -> dict[str, int]:
    last = {t: i for i, node in enumerate(graph.nodes) for t in node.inputs}
    return {**last, graph.output_tensor: len(graph.nodes)}


def _checked(host: HostInput, x: np.ndarray) -> np.ndarray:
    x = np.asarray(x)
    elements = int(np.prod(host.shape))
    if x.ndim != 2 or x.shape[1] != elements or not len(x):
        raise BadInput(
            f"input {host.name}: must have shape (frames, {elements}) in stream order, with 1 frame "
            f"or more, not {x.shape}; `to_stream` rearranges ONNX arrays"
        )
    if x.min() < host.qtype.min or x.max() > host.qtype.max:
        raise BadInput(
            f"input {host.name}: must hold {host.qtype} [{host.qtype.min}, {host.qtype.max}], "
            f"found {x.min()} to {x.max()}"
        )
    return x
