"""A network without quantisers cannot become integers."""

from __future__ import annotations

from typing import Any

from codesign.errors import BadInput

QUANTISERS = (
    "Quant",
    "BipolarQuant",
    "MultiThreshold",
    "QuantizeLinear",
    "DequantizeLinear",
    "QLinearConv",
    "QLinearMatMul",
    "DynamicQuantizeLinear",  # refused later, with its own reason
)


def run(model: Any) -> Any:
    """Return the model as it is; raises BadInput when it holds no quantiser at all."""
    nodes = model.graph.node
    if any(node.op_type in QUANTISERS for node in nodes):
        return model
    ops = ", ".join(sorted({node.op_type for node in nodes})) or "no nodes"
    raise BadInput(
        f"{model.graph.name or 'the network'}: has no quantisers (it holds {ops}), so its weights "
        "and activations have no bit widths; train it with quantised layers, for instance with "
        "`codesign train`, or export it from Brevitas to QONNX",
        ops=ops,
    )
