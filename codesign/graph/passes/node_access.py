"""What several passes do with ONNX nodes: attributes, constants, edits, refusals."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from codesign.errors import UnsupportedLayer


def attribute(node: Any, name: str, default: Any) -> Any:
    """Value of an attribute, or `default`."""
    from onnx.helper import get_attribute_value

    found = next((get_attribute_value(a) for a in node.attribute if a.name == name), default)
    return found.decode() if isinstance(found, bytes) else found


def constant(model: Any, node: Any, index: int, what: str) -> np.ndarray | None:
    """Initialiser of an input, None where the input is left out; raises UnsupportedLayer."""
    name = node.input[index] if index < len(node.input) else ""
    if not name:
        return None
    found = model.get_initializer(name)
    if found is None:
        raise refuse(
            node,
            f"its {what} {name!r} is computed at run time",
            f"quantise statically, so that the {what} is a constant of the model",
        )
    return found


def replace_nodes(model: Any, old: Iterable[Any], new: Iterable[Any]) -> None:
    """Put the nodes `new` where the first of `old` stands, and drop `old`."""
    gone = {id(n) for n in old}
    nodes = list(model.graph.node)
    at = next(i for i, n in enumerate(nodes) if id(n) in gone)
    kept = [n for n in nodes[:at] if id(n) not in gone]
    kept += [*new, *(n for n in nodes[at:] if id(n) not in gone)]
    copies = [copied(n) for n in kept]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def swap(model: Any, first: Any, second: Any) -> None:
    """first(x) -> y, second(y) -> z becomes second(x) -> y, first(y) -> z.

    `second` alone reads y, and gives it the shape of x.
    """
    x, y, z = first.input[0], first.output[0], second.output[0]
    model.set_tensor_shape(y, model.get_tensor_shape(x))
    second.input[0], second.output[0] = x, y
    first.input[0], first.output[0] = y, z
    replace_nodes(model, [first, second], [second, first])


def copied(node: Any) -> Any:
    """A node of its own, to be changed and put elsewhere."""
    from onnx import NodeProto

    copy = NodeProto()
    copy.CopyFrom(node)
    return copy


def refuse(node: Any, found: str, cure: str) -> UnsupportedLayer:
    """The error of a node that no pass can rewrite: where, what was found, what to change."""
    return UnsupportedLayer(
        f"{node.name} ({node.op_type}): {found}; {cure}", node=node.name, op=node.op_type
    )
