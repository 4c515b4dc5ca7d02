"""The integer graph while it grows: blocks, their parameters, where they came from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from codesign.blocks.arrays import only_value
from codesign.blocks.base import Block, ParamRef
from codesign.design import HOST
from codesign.errors import UnsupportedLayer
from codesign.graph.chain import Linear
from codesign.graph.ir import Decision, Node, TensorView
from codesign.graph.onnx_node import OnnxNode
from codesign.graph.values import Constant, Tensor, canonical
from codesign.npz import digest_of
from codesign.types import QType

Value = Constant | Tensor


@dataclass
class Builder:
    """Values of the ONNX tensors so far, and the blocks emitted for them.

    Handlers read `values` through their arguments, emit blocks through `add`, and return the value
    of their output. `shapes` are the inferred ONNX shapes, with the batch axis;
    `readers` the ops that read each ONNX tensor; `decisions` the quantisers' by ONNX tensor; `sums`
    the sums without a block, and their exact form where a reader has needed it; `parts` each concat's
    result, axis and two inputs.
    `channels_last` says that the model's input is (N, H, W, C) or (N, L, C).
    """

    values: dict[str, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    params: dict[str, np.ndarray] = field(default_factory=dict)
    origins: dict[str, tuple[str, ...]] = field(default_factory=dict)
    views: list[TensorView] = field(default_factory=list)
    decisions: dict[str, Decision] = field(default_factory=dict)
    sums: dict[str, Tensor | None] = field(default_factory=dict)
    parts: dict[str, tuple[Tensor, int, Tensor, Tensor]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    readers: dict[str, list[str]] = field(default_factory=dict)
    input_tensor: str = "input"
    class_tensor: str = ""
    channels_last: bool = False
    host_qtype: QType | None = None
    host_meaning: Linear | None = None

    def fix_host(self, qtype: QType, meaning: Linear) -> None:
        """The host sends integers of `qtype`; `meaning` is the model's real input in them."""
        self.host_qtype, self.host_meaning = qtype, meaning

    def fresh(self, name: str) -> str:
        """`name` made readable and unique among the blocks."""
        base = re.sub(r"[^0-9A-Za-z_]+", "_", name).strip("_") or "block"
        base = f"layer{base}" if base[0].isdigit() else base
        taken = {HOST, self.input_tensor, *(n.block.name for n in self.nodes), *self.sums}
        unique, k = base, 2
        while unique in taken:
            unique, k = f"{base}_{k}", k + 1
        return unique

    def param(self, block: str, role: str, values: np.ndarray, qtype: QType) -> ParamRef:
        """Store an array of integers for `block` and return the reference to it."""
        array = np.ascontiguousarray(values, dtype=np.int64)
        name = f"{block}.{role}"
        self.params[name] = array
        return ParamRef(name, tuple(array.shape), qtype, digest_of(array), only_value(array))

    def add(self, block: Block, inputs: tuple[str, ...], sources: tuple[str, ...]) -> str:
        """Append `block`; returns the name of its output tensor, which is the block's name."""
        self.nodes.append(Node(block, inputs, (block.name,)))
        self.origins[block.name] = tuple(dict.fromkeys(s for s in sources if s))
        return block.name

    def note(self, text: str) -> None:
        """Remember something a reader of the graph must know; each text once."""
        if text not in self.notes:
            self.notes.append(text)


def covering(values: np.ndarray) -> QType:
    """Narrowest integer type of an array."""
    return QType.covering(int(values.min()), int(values.max()))


def unsupported(node: OnnxNode, found: str, cure: str) -> UnsupportedLayer:
    """The error of a node without exact hardware form: where, what was found, what to change."""
    return UnsupportedLayer(f"{node}: {found}; {cure}", node=node.name, op=node.op)


def need_tensor(node: OnnxNode, value: Value) -> Tensor:
    """`value` as an activation; raises UnsupportedLayer for a constant."""
    if isinstance(value, Constant):
        raise unsupported(
            node, "its data input is a constant", "fold it into the model before the export"
        )
    return value


def need_integers(node: OnnxNode, value: Value) -> Tensor:
    """`value` as integers, whatever chain they wait for; raises UnsupportedLayer."""
    tensor = need_tensor(node, value)
    if tensor.name is None:
        raise unsupported(
            node,
            "the model's input reaches it as real numbers",
            "quantise the input in the model, or say what the host sends, "
            "for instance --input uint8 --input-scale 1/255",
        )
    return tensor


def need_linear(node: OnnxNode, value: Value) -> Tensor:
    """`value` as quantised integers with an affine meaning; raises UnsupportedLayer."""
    tensor = need_integers(node, value)
    if tensor.linear is None:
        raise unsupported(
            node,
            "its input comes from an activation function that no quantiser follows",
            "put a quantiser between the two",
        )
    return tensor


def need_constant(node: OnnxNode, value: Value, what: str) -> Constant:
    """`value` as a constant; raises UnsupportedLayer."""
    if isinstance(value, Tensor):
        raise unsupported(
            node, f"its {what} is computed at run time", f"make the {what} a constant of the model"
        )
    return value


def is_canonical(tensor: Tensor) -> bool:
    """True when the stream order is (spatial..., channels) of the ONNX shape (C, spatial...)."""
    return bool(np.array_equal(tensor.order, canonical(tensor.order.shape)))
