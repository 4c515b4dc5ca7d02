"""The end of the network: soft-max falls away, arg-max becomes a block."""

from __future__ import annotations

from codesign.graph.builder import Builder, Value, need_constant, need_linear, unsupported
from codesign.graph.logits import emit_arg_max
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.values import Tensor

ARG_MAX_OPS = {"ArgMax", "TopK"}


def softmax(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """Keeps the order of the logits, so that nothing is left to do in front of an arg-max."""
    tensor = need_linear(node, x)
    _need_classes(node, tensor, -1)
    if not set(build.readers.get(node.outputs[0], ())) <= ARG_MAX_OPS:
        raise unsupported(node, "its values are computed with", "end the exported model before it")
    build.note(f"{node} at the output is dropped: the largest logit is the most probable class")
    return tensor


def arg_max(build: Builder, node: OnnxNode, x: Value) -> Tensor:
    """Index of the largest element of a vector; the lowest wins a tie, as in numpy."""
    if node.attrs.get("select_last_index", 0):
        raise unsupported(node, "select_last_index is set", "use the default, the first index")
    return _index_of_largest(build, node, x, 0)


def top_k(build: Builder, node: OnnxNode, x: Value, k: Value) -> tuple[None, Tensor]:
    """k = 1 is an arg-max; the values are not computed."""
    count = int(need_constant(node, k, "k").values.ravel()[0])
    if count != 1 or not node.attrs.get("largest", 1) or build.readers.get(node.outputs[0]):
        raise unsupported(node, f"k = {count}", "use k = 1, the largest, and its index only")
    return None, _index_of_largest(build, node, x, -1)


def _index_of_largest(build: Builder, node: OnnxNode, x: Value, default_axis: int) -> Tensor:
    tensor = need_linear(node, x)
    _need_classes(node, tensor, default_axis)
    return emit_arg_max(build, node, tensor)


def _need_classes(node: OnnxNode, x: Tensor, default_axis: int) -> None:
    """One vector of classes along the node's axis: all other axes have size 1."""
    shape, axis = (1, *x.order.shape), int(node.attrs.get("axis", default_axis))
    if shape[axis] != x.elements:
        raise unsupported(
            node,
            f"it works along axis {axis} of a tensor of shape {shape}",
            "apply it to one vector of classes (N, classes), along the axis of the classes",
        )
