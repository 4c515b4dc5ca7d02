"""Channels-last layers become standard ones between two Transposes.

A Transpose is index algebra and costs no hardware; the stream carries channels last anyway.
"""

from __future__ import annotations

from typing import Any

from codesign.errors import UnsupportedLayer
from codesign.graph.passes.canonical_domains import CHANNELS_LAST

# op -> how many of its inputs hold channels in their last axis
MOVED_INPUTS = {"Conv": 2, "MaxPool": 1, "BatchNormalization": 1}


def to_first(rank: int) -> list[int]:
    """The permutation (N, ..., C) -> (N, C, ...)."""
    return [0, rank - 1, *range(1, rank - 1)]


def to_last(rank: int) -> list[int]:
    """The permutation (N, C, ...) -> (N, ..., C)."""
    return [0, *range(2, rank), 1]


def run(model: Any) -> Any:
    """Rewrite every node of the channels-last domain; raises UnsupportedLayer for unknown ops."""
    for node in list(model.graph.node):
        if node.domain == CHANNELS_LAST:
            _rewrite(model, node)
    return model


def _rewrite(model: Any, node: Any) -> None:
    if node.op_type not in MOVED_INPUTS:
        raise UnsupportedLayer(
            f"{node.name} ({node.op_type}): has no channels-last form here, only "
            f"{', '.join(MOVED_INPUTS)} have; export the model channels first",
            node=node.name,
            op=node.op_type,
        )
    rank = _rank(model, node)
    at = list(model.graph.node).index(node)
    for i in range(MOVED_INPUTS[node.op_type]):
        moved = f"{node.name}_channels_first_{i}"
        _insert(model, at + i, node.input[i], moved, to_first(rank))
        node.input[i] = moved
    result, inner = node.output[0], f"{node.name}_channels_first"
    node.output[0], node.domain = inner, ""
    _insert(model, list(model.graph.node).index(node) + 1, inner, result, to_last(rank))


def _rank(model: Any, node: Any) -> int:
    """Axes of the node's input; shapes are not inferred yet, qonnx cannot do it across these ops."""
    kernel = next((a.ints for a in node.attribute if a.name == "kernel_shape"), ())
    if kernel:
        return len(kernel) + 2
    return len(model.get_tensor_shape(node.input[0]) or model.get_tensor_shape(_input(model)))


def _input(model: Any) -> str:
    return model.graph.input[0].name


def _insert(model: Any, at: int, source: str, target: str, perm: list[int]) -> None:
    from onnx.helper import make_node

    node = make_node("Transpose", [source], [target], name=f"{target}_transpose", perm=perm)
    model.graph.node.insert(at, node)
