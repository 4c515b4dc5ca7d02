"""Arithmetic on constants is done now, as qonnx would do it at every run."""

from __future__ import annotations

from typing import Any

# Their integers and scales are what the integer graph is made of, so they stay nodes.
KEPT = ["Quant", "BipolarQuant", "Trunc", "LinearQuant", "QuantizeLinear", "DequantizeLinear"]


def run(model: Any) -> Any:
    """Fold everything but quantisers; static Shape nodes count as constants."""
    from qonnx.transformation.fold_constants import FoldConstants

    return model.transform(FoldConstants(exclude_op_types=KEPT))
