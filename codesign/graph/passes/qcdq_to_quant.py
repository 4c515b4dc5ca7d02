"""QuantizeLinear, (Clip,) DequantizeLinear chains become Quant nodes."""

from __future__ import annotations

from typing import Any


def run(model: Any) -> Any:
    """Fuse what qonnx can fuse; the rest stays and is refused by name."""
    from qonnx.transformation.qcdq_to_qonnx import QCDQToQuant

    if not model.get_nodes_by_op_type("DequantizeLinear"):
        return model
    return model.transform(QCDQToQuant())
