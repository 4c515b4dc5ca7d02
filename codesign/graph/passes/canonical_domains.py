"""Quantiser nodes of any exporter get qonnx's own domain."""

from __future__ import annotations

from typing import Any

ALIASES = ("onnx.brevitas", "finn.custom_op.general")
CANONICAL = "qonnx.custom_op.general"
CUSTOM_OPS = ("Quant", "IntQuant", "BipolarQuant", "Trunc", "MultiThreshold")


def run(model: Any) -> Any:
    """Rename the domains in place and declare the canonical one."""
    for node in model.graph.node:
        if node.domain in ALIASES or (node.domain == "" and node.op_type in CUSTOM_OPS):
            node.domain = CANONICAL
        if node.op_type == "IntQuant":
            node.op_type = "Quant"
    _declare(model.model)
    return model


def _declare(proto: Any) -> None:
    from onnx.helper import make_opsetid

    default = [o for o in proto.opset_import if o.domain in ("", "ai.onnx")]
    versions = {o.domain: o.version for o in proto.opset_import}
    version = versions.get(CANONICAL, 1)
    others = [o for o in proto.opset_import if o.domain not in ("", "ai.onnx", CANONICAL, *ALIASES)]
    kept = [*default, make_opsetid(CANONICAL, version), *others]
    del proto.opset_import[:]
    proto.opset_import.extend(kept)
