"""Names of torch modules on the nodes and weights of an exported graph.

qonnx's cleanup numbers nodes and tensors anew. The torch path therefore rides through it in each
node's doc_string and becomes the name afterwards: "features.conv1" (Conv, MatMul, BatchNorm, pool),
"features.act1" (Quant of that activation), "features.conv1.weight_quant" and
"features.conv1.input_quant" (Quants inside a layer), and the initialiser "features.conv1.weight".
A module that runs several times gets "_1", "_2", .. from its second run on.
"""

from __future__ import annotations

from collections import Counter

import onnx

from codesign.quant.handles import QuantHandle


def node_name(handle: QuantHandle) -> str:
    """Name of the (first) Quant node that a quantiser becomes."""
    inner = {"act": "", "input": ".input_quant", "weight": ".weight_quant"}
    return handle.name + inner[handle.role]


def tag_nodes(graph: onnx.GraphProto, paths: set[str]) -> None:
    """Put the path of the torch module that made it into each node's doc_string, where known."""
    for node in graph.node:
        path = _module_path(node.name, paths)
        if path:
            node.doc_string = path


def restore_names(graph: onnx.GraphProto) -> None:
    """Name nodes after their tags, and the first input of a weight quantiser "<layer>.weight"."""
    seen: Counter[str] = Counter()
    for node in graph.node:
        tag = node.doc_string
        if not tag:
            continue
        node.name = f"{tag}_{seen[tag]}" if seen[tag] else tag
        seen[tag] += 1
        # Quantisers are of QONNX's own domain; the standard one, of all other nodes, has no name.
        if node.domain and tag.endswith(".weight_quant"):
            layer = tag.removesuffix(".weight_quant")
            _rename_tensor(graph, node.input[0], f"{layer}.weight")


def _module_path(node_name: str, paths: set[str]) -> str:
    """Torch path of "/features/features.conv1/weight_quant/export_handler/Quant".

    The exporter writes children of a Sequential with their parent's name before them.
    """
    parts = [part.rpartition(".")[2] for part in node_name.strip("/").split("/")[:-1]]
    while parts and (".".join(parts) not in paths or parts[-1] == "export_handler"):
        parts.pop()
    path = ".".join(parts)
    return path.removesuffix(".act_quant")


def _rename_tensor(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == old:
                node.input[index] = new
    for entry in (*graph.initializer, *graph.value_info, *graph.quantization_annotation):
        field = "tensor_name" if hasattr(entry, "tensor_name") else "name"
        if getattr(entry, field) == old:
            setattr(entry, field, new)
