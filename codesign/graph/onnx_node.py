"""One ONNX node as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class OnnxNode:
    """Name, op type, tensors and attributes (bytes decoded) of a node."""

    name: str
    op: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name} ({self.op})"

    def pairs(self, key: str, default: int) -> tuple[int, int]:
        """A spatial attribute as (vertical, horizontal); a 1-D one is horizontal."""
        values = tuple(self.attrs.get(key) or ())
        if not values:
            return (default, default)
        if len(values) == 1:
            return (1, int(values[0]))
        return (int(values[0]), int(values[1]))


def read_nodes(graph: object) -> list[OnnxNode]:
    """The nodes of an onnx.GraphProto in its order, each with a name."""
    from onnx.helper import get_attribute_value

    def plain(value: object) -> object:
        return value.decode() if isinstance(value, bytes) else value

    return [
        OnnxNode(
            node.name or f"{node.op_type}_{i}",
            node.op_type,
            node.domain,
            tuple(node.input),
            tuple(node.output),
            {a.name: plain(get_attribute_value(a)) for a in node.attribute},
        )
        for i, node in enumerate(graph.node)
    ]
