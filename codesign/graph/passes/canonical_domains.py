"""Quantiser nodes of any exporter get qonnx's own domain and names."""

from __future__ import annotations

from typing import Any

from codesign.errors import BadInput, UnsupportedLayer

ALIASES = ("onnx.brevitas", "finn.custom_op.general")
CANONICAL = "qonnx.custom_op.general"
CHANNELS_LAST = "qonnx.custom_op.channels_last"
OWN = "codesign.graph.custom_op"  # the module that qonnx imports for it
LINEAR_QUANT = "LinearQuant"
OLDEST_OPSET = 7
CUSTOM_OPS = ("Quant", "IntQuant", "BipolarQuant", "Trunc", "MultiThreshold", "QuantAvgPool2d")
MODES = {b"ROUND_TO_ZERO": b"DOWN"}  # Brevitas' name, and the one that qonnx executes
CURE = f"export standard ONNX ops and quantisers of {CANONICAL!r}"
CURES = {
    "com.microsoft": "quantise with QuantFormat.QDQ (onnxruntime's quantize_static), and do not save "
    "the model that onnxruntime has optimised"
}


def run(model: Any) -> Any:
    """Rename the domains and declare the canonical one; raises UnsupportedLayer for others.

    BadInput: the file is older than what onnxruntime executes.
    """
    for node in model.graph.node:
        if node.domain in ALIASES or (node.domain == "" and node.op_type in CUSTOM_OPS):
            node.domain = CANONICAL
        if node.op_type == "IntQuant":
            node.op_type = "Quant"
        for attribute in (a for a in node.attribute if a.name == "rounding_mode"):
            attribute.s = MODES.get(attribute.s.upper(), attribute.s)
        _check(node)
    _declare(model.model)
    return model


def _check(node: Any) -> None:
    if node.domain not in ("", "ai.onnx", CANONICAL, CHANNELS_LAST, OWN):
        raise UnsupportedLayer(
            f"{node.name or node.output[0]} ({node.op_type}): its domain {node.domain!r} is not known "
            f"here; {CURES.get(node.domain, CURE)}",
            node=node.name,
            op=node.op_type,
        )


def _declare(proto: Any) -> None:
    from onnx.helper import make_opsetid

    default = [o for o in proto.opset_import if o.domain in ("", "ai.onnx")]
    if any(o.version < OLDEST_OPSET for o in default):
        raise BadInput(
            f"{proto.graph.name}: opset {default[0].version} is older than {OLDEST_OPSET}, the first "
            "that onnxruntime executes; convert the file with onnx.version_converter",
            found=default[0].version,
        )
    versions = {o.domain: o.version for o in proto.opset_import}
    version = versions.get(CANONICAL, 1)
    known = ("", "ai.onnx", CANONICAL, CHANNELS_LAST, *ALIASES)
    others = [o for o in proto.opset_import if o.domain not in known]
    kept = [*default, make_opsetid(CANONICAL, version), *others]
    if any(node.domain == CHANNELS_LAST for node in proto.graph.node):
        # qonnx runs a channels-last op as the standard op of the version declared for its domain.
        kept.append(make_opsetid(CHANNELS_LAST, default[0].version))
    del proto.opset_import[:]
    proto.opset_import.extend(kept)
