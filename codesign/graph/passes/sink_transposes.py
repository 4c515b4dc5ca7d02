"""Transposes move behind elementwise functions, and two that undo each other vanish.

So a channels-last network has its pools beside its quantisers, as a channels-first one has.
"""

from __future__ import annotations

from typing import Any

from codesign.graph.passes.node_access import attribute, swap

QUANTISERS = ("Quant", "LinearQuant", "BipolarQuant")
ELEMENTWISE = ("Relu", "LeakyRelu", "Clip", *QUANTISERS, "Identity", "Dropout")


def run(model: Any) -> Any:
    """Swap and cancel until nothing moves any more."""
    while _cancel_one(model) or _sink_one(model):
        pass
    return model


def _perm(node: Any) -> list[int]:
    return list(attribute(node, "perm", []))


def _cancel_one(model: Any) -> bool:
    for node in model.get_nodes_by_op_type("Transpose"):
        first = model.find_producer(node.input[0])
        if first is None or first.op_type != "Transpose" or not (_perm(first) and _perm(node)):
            continue
        if [_perm(first)[p] for p in _perm(node)] != list(range(len(_perm(node)))):
            continue
        if node.output[0] in {o.name for o in model.graph.output}:
            continue
        for reader in model.find_consumers(node.output[0]):
            _replace_input(reader, node.output[0], first.input[0])
        model.graph.node.remove(node)
        if not model.find_consumers(first.output[0]):
            model.graph.node.remove(first)
        return True
    return False


def _replace_input(node: Any, old: str, new: str) -> None:
    for i, name in enumerate(node.input):
        if name == old:
            node.input[i] = new


def _sink_one(model: Any) -> bool:
    outputs = {o.name for o in model.graph.output}
    for node in model.get_nodes_by_op_type("Transpose"):
        after = model.find_consumers(node.output[0])
        if len(after) != 1 or after[0].op_type not in ELEMENTWISE or after[0].output[0] in outputs:
            continue
        constants = [model.get_initializer(name) for name in list(after[0].input)[1:] if name]
        if _perm(node) and all(c is not None and c.size == 1 for c in constants):
            swap(model, node, after[0])
            return True
    return False
