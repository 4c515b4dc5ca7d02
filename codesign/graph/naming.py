"""Names of blocks: stable, readable, and those of the trained layers where the file has them."""

from __future__ import annotations

from codesign.graph.onnx_node import OnnxNode


def layer_name(node: OnnxNode, sources: tuple[str, ...]) -> str:
    """ "conv1" for the initialiser "conv1.weight"; otherwise the module path or the node's name."""
    for source in sources:
        if source.endswith(".weight"):
            return source.removesuffix(".weight")
    parts = [part for part in node.name.split("/") if part]
    return parts[-2] if len(parts) > 1 else node.name
