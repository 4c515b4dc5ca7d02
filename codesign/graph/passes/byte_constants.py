"""Stored 4-bit integers become bytes with an annotation.

Neither qonnx nor NumPy computes with 4-bit arrays; the annotation keeps the type for the weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def run(model: Any) -> Any:
    """Widen the constants of every DequantizeLinear."""
    for node in model.get_nodes_by_op_type("DequantizeLinear"):
        for name in node.input:
            _widen(model, name)
    return model


def _widen(model: Any, name: str) -> None:
    from onnx import TensorProto
    from qonnx.core.datatype import DataType

    values, kind = model.get_initializer(name, return_dtype=True)
    if kind not in (TensorProto.INT4, TensorProto.UINT4):
        return
    signed = kind == TensorProto.INT4
    model.set_initializer(name, values.astype(np.int8 if signed else np.uint8))
    model.set_tensor_datatype(name, DataType["INT4" if signed else "UINT4"])
