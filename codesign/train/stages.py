"""The steps behind training, one function each: export, lower, check, and integer classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import nn

from codesign.data.dataset import Dataset, Split
from codesign.graph.check import CheckReport, check_against_qonnx
from codesign.graph.execute import execute, from_real, to_stream
from codesign.graph.ir import IntGraph
from codesign.graph.load import import_model
from codesign.train.batches import to_input
from codesign.train.evaluate import classes_of
from codesign.train.export import ExportResult, export_qonnx
from codesign.train.export_check import ExportCheck, check_export

MODEL_FILE = "model.onnx"
GOLDEN_SAMPLES = 16


@dataclass(frozen=True)
class Checks:
    """torch against qonnx, qonnx against the integer graph, and torch against the integer graph.

    All three on the whole test set; `integer_mismatches` counts the samples whose class differs
    between torch and the integer graph, `integer_accuracy` is a fraction 0..1.
    """

    export: ExportCheck
    integers: CheckReport
    samples: int
    integer_accuracy: float
    integer_mismatches: int

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        return (
            f"{self.samples} test samples: the integer graph has torch's class in all but "
            f"{self.integer_mismatches}, accuracy {self.integer_accuracy:.2%}; exported file against "
            f"torch: largest difference {self.export.max_abs_difference:.1g}, "
            f"{self.export.float_flips} float32 roundings, {self.export.tied_classes} ties of "
            f"logits; integer graph against qonnx: {self.integers.sentence}"
        )


def export_model(model: nn.Module, data: Dataset, folder: Path) -> ExportResult:
    """Write model.onnx and model.golden.npz; the golden inputs are the first test images."""
    golden = to_input(data.test.x[:GOLDEN_SAMPLES], data.input_max)
    return export_qonnx(model, data.input_shape, Path(folder) / MODEL_FILE, golden)


def lower_model(folder: Path) -> IntGraph:
    """The integer graph of model.onnx in `folder`."""
    return import_model(Path(folder) / MODEL_FILE)


def integer_classes(graph: IntGraph, split: Split, input_max: int) -> np.ndarray:
    """Class of every sample by exact integer arithmetic, int64 (N,)."""
    x = to_input(split.x, input_max).numpy()
    out = execute(graph, to_stream(graph.input, from_real(graph.input, x)))
    return out[:, 0] if graph.output.meaning == "class" else out.argmax(1)


def check_model(model: nn.Module, data: Dataset, folder: Path, graph: IntGraph) -> Checks:
    """Compare torch, the exported file and the integer graph on the whole test set."""
    path = Path(folder) / MODEL_FILE
    x = to_input(data.test.x, data.input_max).numpy()
    classes = integer_classes(graph, data.test, data.input_max)
    return Checks(
        export=check_export(model, path, x, data.test.y),
        integers=check_against_qonnx(path, graph, x),
        samples=len(x),
        integer_accuracy=float((classes == data.test.y).mean()),
        integer_mismatches=int((classes != classes_of(model, data.test, data.input_max)).sum()),
    )
