"""Operators on integers (QLinearConv, QLinearMatMul) become float ones between quantisers.

Their meaning is the same, exactly: y = quantise(dequantise(x) * dequantise(w) + bias). What moves
integers about (a MaxPool between two of them) then works on dequantised values.
"""

from __future__ import annotations

from typing import Any

from codesign.graph.passes import static_shapes
from codesign.graph.passes.node_access import constant, copied, refuse, replace_nodes

FLOAT_OP = {"QLinearConv": "Conv", "QLinearMatMul": "MatMul"}
WEIGHT_AXIS = {"QLinearConv": 0, "QLinearMatMul": 1}
MOVES = ("MaxPool", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Identity")
DYNAMIC = {
    "DynamicQuantizeLinear": "its scale is computed anew from every input",
    "ConvInteger": "it belongs to dynamic quantisation: its results have no scale in the file",
    "MatMulInteger": "it belongs to dynamic quantisation: its results have no scale in the file",
}
STATIC = "quantise statically (onnxruntime's quantize_static with QuantFormat.QDQ, or train with Brevitas)"


def run(model: Any) -> Any:
    """Rewrite them; raises UnsupportedLayer for dynamic quantisation."""
    for node in model.graph.node:
        if node.op_type in DYNAMIC:
            raise refuse(node, DYNAMIC[node.op_type], STATIC)
    found = [n.name for n in model.graph.node if n.op_type in FLOAT_OP]
    for name in found:
        _expand(model, next(n for n in model.graph.node if n.name == name))
    moved = False
    while _hoist_one(model):
        moved = True
    return static_shapes.run(model) if found or moved else model


def _expand(model: Any, node: Any) -> None:
    """x, xs, xz, w, ws, wz, ys, yz (, bias): three DequantizeLinears, the layer, a QuantizeLinear."""
    from onnx.helper import make_node

    x, xs, xz, w, ws, wz, ys, yz, *bias = node.input
    inner = {k: f"{node.name}_{k}" for k in ("x", "w", "y", "b", "bias")}
    layer = make_node(
        FLOAT_OP[node.op_type], [inner["x"], inner["w"]], [inner["y"]], name=node.name
    )
    layer.attribute.extend(node.attribute)
    new = [
        make_node("DequantizeLinear", [x, xs, xz], [inner["x"]], name=inner["x"]),
        _dequantise(model, [w, ws, wz], inner["w"], WEIGHT_AXIS[node.op_type]),
    ]
    if bias:  # integers of scale xs*ws: two exact products instead of one rounded scale
        layer.input.append(inner["bias"])
        new += [
            _dequantise(model, [bias[0], ws], inner["b"], 0),
            make_node("Mul", [inner["b"], xs], [inner["bias"]], name=inner["bias"]),
        ]
    name = f"{node.name}_quantise"
    new += [layer, make_node("QuantizeLinear", [inner["y"], ys, yz], [node.output[0]], name=name)]
    replace_nodes(model, [node], new)


def _dequantise(model: Any, inputs: list[str], output: str, axis: int) -> Any:
    """A DequantizeLinear of stored integers; the axis is given only where scales differ."""
    from onnx.helper import make_attribute, make_node

    node = make_node("DequantizeLinear", inputs, [output], name=output)
    if constant(model, node, 1, "scale").size > 1:
        node.attribute.append(make_attribute("axis", axis))
    return node


def _hoist_one(model: Any) -> bool:
    """move(x) -> y, DequantizeLinear(y) -> z becomes DequantizeLinear(x) -> y', move(y') -> z."""
    for after in model.get_nodes_by_op_type("DequantizeLinear"):
        move = model.find_producer(after.input[0])
        if move is None or move.op_type not in MOVES:
            continue
        if constant(model, after, 1, "scale").size > 1:
            continue
        _hoist(model, move, after)
        return True
    return False


def _hoist(model: Any, move: Any, after: Any) -> None:
    first, second = copied(after), copied(move)
    first.input[0] = move.input[0]
    first.output[0] = second.input[0] = f"{after.output[0]}_before_{move.op_type}"
    second.name, second.output[0] = f"{move.name}_{after.name}", after.output[0]
    alone = len([n for n in model.graph.node if move.output[0] in n.input]) == 1
    replace_nodes(model, [move, after] if alone else [after], [first, second])
