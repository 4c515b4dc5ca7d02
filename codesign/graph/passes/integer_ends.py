"""A network whose input and output are integers themselves gets real ends that carry them.

The input's DequantizeLinear becomes a subtraction and a product, which annotated integers pass
through; the last QuantizeLinear gets a DequantizeLinear and then its scale and zero point back.
"""

from __future__ import annotations

from typing import Any

from codesign.graph.passes.node_access import copied, replace_nodes
from codesign.graph.passes.quantiser_parameters import constants


def run(model: Any) -> Any:
    """Rewrite both ends where they are integers; raises UnsupportedLayer for odd parameters."""
    from onnx import TensorProto

    source, target = model.graph.input[0], model.graph.output[0]
    kind = source.type.tensor_type.elem_type
    if kind in (TensorProto.INT8, TensorProto.UINT8):
        _real_input(model, source, "INT8" if kind == TensorProto.INT8 else "UINT8")
    last = model.find_producer(target.name)
    if last is not None and last.op_type == "QuantizeLinear":
        _real_output(model, last)
        target.type.tensor_type.elem_type = TensorProto.FLOAT
    return model


def _real_input(model: Any, source: Any, name: str) -> None:
    from onnx import TensorProto
    from onnx.helper import make_node
    from qonnx.core.datatype import DataType

    for node in [n for n in model.graph.node if source.name in n.input]:
        if node.op_type != "DequantizeLinear":
            continue
        scale, zero = constants(model, node)
        moved = f"{node.name}_moved"
        replace_nodes(
            model,
            [node],
            [
                make_node("Sub", [source.name, zero], [moved], name=moved),
                make_node("Mul", [moved, scale], list(node.output), name=node.name),
            ],
        )
    source.type.tensor_type.elem_type = TensorProto.FLOAT
    model.set_tensor_datatype(source.name, DataType[name])


def _real_output(model: Any, node: Any) -> None:
    from onnx.helper import make_node

    scale, zero = constants(model, node)
    inner, real, levels = (f"{node.name}_{k}" for k in ("integers", "real", "levels"))
    first, output = copied(node), node.output[0]
    first.output[0] = inner
    back = make_node("DequantizeLinear", [inner, *node.input[1:]], [real], name=real)
    back.attribute.extend(a for a in node.attribute if a.name == "axis")
    last = [
        make_node("Div", [real, scale], [levels], name=levels),
        make_node("Add", [levels, zero], [output], name=f"{node.name}_output"),
    ]
    replace_nodes(model, [node], [first, back, *last])
