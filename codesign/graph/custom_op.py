"""One operator for QuantizeLinear, Clip, DequantizeLinear; qonnx finds it by this module's name.

qonnx's own Quant rounds x/scale + zero_point, ONNX rounds x/scale and adds the zero point then. With
an odd zero point the two differ at every tie, so that such a chain is no Quant.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper
from qonnx.core.datatype import DataType
from qonnx.custom_op.base import CustomOp

__all__ = ["LinearQuant"]


class LinearQuant(CustomOp):
    """y = scale * (clip(round_half_even(x/scale) + zero, low, high) - zero), all in float32.

    Inputs x, scale, zero (both broadcast to x); attributes low and high are the smallest and the
    largest integer. ONNX operators QuantizeLinear and DequantizeLinear, version 10 and later.
    """

    def get_nodeattr_types(self) -> dict[str, tuple]:
        """Both bounds are required."""
        return {"low": ("i", True, 0), "high": ("i", True, 0)}

    def make_shape_compatible_op(self, model: Any) -> Any:
        """The shape of x stays."""
        return helper.make_node("Identity", [self.onnx_node.input[0]], [self.onnx_node.output[0]])

    def infer_node_datatype(self, model: Any) -> None:
        """Scaled integers are real numbers to qonnx."""
        model.set_tensor_datatype(self.onnx_node.output[0], DataType["FLOAT32"])

    def execute_node(self, context: dict[str, np.ndarray], graph: Any) -> None:
        """Evaluate in float32, step by step as onnxruntime does."""
        x, scale, zero = (np.asarray(context[name], np.float32) for name in self.onnx_node.input)
        q = np.rint(x / scale) + zero
        q = np.clip(q, np.float32(self.get_nodeattr("low")), np.float32(self.get_nodeattr("high")))
        context[self.onnx_node.output[0]] = np.asarray((q - zero) * scale, np.float32)

    def verify_node(self) -> None:
        """Nothing beyond the required attributes."""
