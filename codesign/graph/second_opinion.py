"""finn-base's executor as a second, independent opinion on what a file computes."""

from __future__ import annotations

import importlib.util
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from codesign.errors import reason
from codesign.graph.passes.canonical_domains import CANONICAL, CHANNELS_LAST
from codesign.graph.read import read_onnx
from codesign.graph.reference import plain_model, run_qonnx

FINN_DOMAIN = "finn.custom_op.general"


def finn_installed() -> bool:
    """True when finn-base can be imported."""
    return importlib.util.find_spec("finn") is not None


def compare_with_finn(path: Path | str, x: np.ndarray) -> str:
    """A sentence on the outputs of finn-base and of qonnx for real inputs (frames, *ONNX shape)."""
    if not finn_installed():
        return "finn-base is not installed: no second opinion (pip install '.[finn]')"
    try:
        theirs = _run_finn(path, x)
    except Exception as error:  # noqa: BLE001  finn-base raises bare exceptions for ops it lacks
        return f"finn-base cannot run this file ({reason(error)})"
    ours = run_qonnx(path, x)
    frames = int((ours == theirs).reshape(len(x), -1).all(axis=1).sum())
    return f"finn-base agrees with qonnx in {frames} of {len(x)} frames, bit for bit"


def _run_finn(path: Path | str, x: np.ndarray) -> np.ndarray:
    """Outputs by finn-base's executor; it knows qonnx's ops under its own domain only."""
    os.environ.setdefault("FINN_BUILD_DIR", tempfile.gettempdir())
    from finn.core.modelwrapper import ModelWrapper
    from finn.core.onnx_exec import execute_onnx

    if any(node.domain == CHANNELS_LAST for node in read_onnx(Path(path)).graph.node):
        raise ValueError("it has no channels-last layers")
    model = plain_model(path, 1)
    for node in model.graph.node:
        for layout in (a for a in node.attribute if a.name == "data_layout" and a.s == b"NC"):
            layout.s = b"NCHW"  # the same for vectors, and the only name it knows
        node.domain = FINN_DOMAIN if node.domain == CANONICAL else node.domain
    for opset in model.model.opset_import:
        opset.domain = FINN_DOMAIN if opset.domain == CANONICAL else opset.domain
    _declare_constants(model)
    wrapped = ModelWrapper(model.model)
    name, output = model.graph.input[0].name, model.graph.output[0].name
    frames = np.asarray(x, np.float32)
    return np.concatenate([execute_onnx(wrapped, {name: f[None]})[output] for f in frames])


def _declare_constants(model: Any) -> None:
    """finn-base looks for the shapes of initialisers among those of the activations."""
    from onnx.helper import make_tensor_value_info

    known = {v.name for v in model.graph.value_info}
    for i in model.graph.initializer:
        if i.name not in known:
            info = make_tensor_value_info(i.name, i.data_type, list(i.dims))
            model.graph.value_info.append(info)
