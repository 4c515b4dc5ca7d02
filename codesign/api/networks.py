"""Networks: read, execute, compare with qonnx."""

from __future__ import annotations

from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from codesign import design_rules
from codesign.design import Design, load_design
from codesign.errors import BadInput
from codesign.types import QType, qtype_of

if TYPE_CHECKING:
    from codesign.graph.check import CheckReport
    from codesign.graph.ir import IntGraph


def load(
    path: str | Path,
    input_qtype: QType | str | None = None,
    input_scale: float | None = None,
    input_offset: float = 0.0,
) -> IntGraph | Design:
    """An ONNX file as an exact integer graph, or the Design that a folder holds.

    The host sends integers q of `input_qtype` ("uint8", "int4", ...) that stand for
    input_scale*q + input_offset; without it the file's own annotation or first quantiser counts.
    Raises BadInput, UnsupportedLayer, and InvariantBroken for a Design that breaks its own rules.
    """
    path = Path(path)
    if input_scale is not None and not 0 < input_scale < inf:
        raise BadInput(f"the input scale must be over 0 and finite, not {input_scale}")
    if not isfinite(input_offset):
        raise BadInput(f"the input offset must be finite, not {input_offset}")
    if path.suffix == ".json" or path.is_dir():
        design = load_design(path)
        design_rules.verify(design)
        return design
    from codesign.graph.load import import_model

    qtype = qtype_of(input_qtype) if isinstance(input_qtype, str) else input_qtype
    return import_model(path, qtype, input_scale, input_offset)


def check(path: str | Path, graph: IntGraph, x: np.ndarray) -> CheckReport:
    """Compare integer execution with qonnx's on real inputs `x` (frames, *onnx_shape).

    Each integer that differs is listed and proven to be a float32 rounding, or counted as wrong.
    Raises BadInput for no frames, a wrong shape, and inputs that the host cannot send.
    """
    from codesign.graph.check import check_against_qonnx

    return check_against_qonnx(path, graph, x)


def execute(graph: IntGraph, x: np.ndarray) -> np.ndarray:
    """Outputs (frames, elements) in exact integers for real inputs `x` (frames, *onnx_shape).

    Each input becomes the nearest integer of the host's type. Raises BadInput for a wrong shape and
    for what is no finite number.
    """
    from codesign.graph.execute import execute as run_integers
    from codesign.graph.execute import from_real, to_stream

    return run_integers(graph, to_stream(graph.input, from_real(graph.input, x)))
