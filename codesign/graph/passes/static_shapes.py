"""Every tensor gets its shape."""

from __future__ import annotations

from typing import Any

from codesign.errors import BadInput


def run(model: Any) -> Any:
    """Infer all shapes; raises BadInput with the reason of onnx."""
    from qonnx.transformation.infer_shapes import InferShapes

    del model.graph.value_info[:]
    try:
        return model.transform(InferShapes())
    except Exception as error:  # onnx raises its own classes and plain RuntimeError
        reason = str(error).strip().splitlines()[-1]
        raise BadInput(f"{model.graph.name}: shapes do not fit together ({reason})") from error
