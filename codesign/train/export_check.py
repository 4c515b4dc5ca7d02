"""Is the exported file the network? torch and qonnx on the same inputs, differences explained."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.change_batchsize import ChangeBatchSize
from torch import Tensor, nn

from codesign.quant.handles import handles

TOLERANCE = 1e-5
BATCH = 100


@dataclass(frozen=True)
class FloatFlip:
    """A sample that one float32 rounding sends to the neighbouring level in one quantiser.

    `quantiser` is its node; `elements` of it differ, by one step each, although their values
    before rounding differ by at most `gap` (in steps) between torch and qonnx.
    """

    sample: int
    quantiser: str
    elements: int
    gap: float


@dataclass(frozen=True)
class ExportCheck:
    """torch against qonnx on `samples` inputs.

    `max_abs_difference` is over the samples without a float flip; `mismatched_classes` counts the
    samples whose arg-max differs, over all samples. Accuracies are None without labels.
    """

    samples: int
    max_abs_difference: float
    mismatched_classes: int
    flips: tuple[FloatFlip, ...]
    torch_accuracy: float | None = None
    qonnx_accuracy: float | None = None

    @property
    def float_flips(self) -> int:
        """Samples that differ because one float32 rounding lands on the other side."""
        return len(self.flips)

    @property
    def is_same(self) -> bool:
        """Equal within 1e-5 except for the float flips, with the same class everywhere."""
        return self.max_abs_difference <= TOLERANCE and not self.mismatched_classes


def check_export(
    model: nn.Module,
    path: str | Path,
    x: Tensor | np.ndarray,
    y: Tensor | np.ndarray | None = None,
) -> ExportCheck:
    """Compare `model` in evaluation mode with qonnx's execution of the file `path`.

    `x` is float32 (samples, *input_shape); `y` are labels (samples,), for the two accuracies. A
    sample that differs by more than 1e-5 is a float flip only if its first differing quantiser had
    the same values before rounding, up to 1e-3 of a step, and landed on neighbouring levels.
    """
    inputs = torch.as_tensor(x, dtype=torch.float32).cpu()
    wrapped = ModelWrapper(str(path))
    expected = _torch_outputs(model, inputs)
    found = qonnx_outputs(wrapped, inputs.numpy())
    worst = np.abs(expected - found).reshape(len(inputs), -1).max(axis=1)
    suspects = np.flatnonzero(worst > TOLERANCE)
    candidates = (_find_flip(model, wrapped, inputs, int(sample)) for sample in suspects)
    flips = tuple(flip for flip in candidates if flip is not None)
    worst[[flip.sample for flip in flips]] = 0.0
    return ExportCheck(
        samples=len(inputs),
        max_abs_difference=float(worst.max(initial=0.0)),
        mismatched_classes=int((expected.argmax(1) != found.argmax(1)).sum()),
        flips=flips,
        torch_accuracy=_accuracy(expected, y),
        qonnx_accuracy=_accuracy(found, y),
    )


def qonnx_outputs(wrapped: ModelWrapper, x: np.ndarray) -> np.ndarray:
    """Outputs of the network for float32 `x` (samples, *input_shape), by qonnx's executor."""
    # A Reshape holds the batch of 1 it was exported with.
    batch = 1 if wrapped.get_nodes_by_op_type("Reshape") else BATCH
    models: dict[int, ModelWrapper] = {}
    parts = []
    for start in range(0, len(x), batch):
        part = x[start : start + batch]
        if len(part) not in models:
            models[len(part)] = wrapped.transform(ChangeBatchSize(len(part)))
        parts.append(_execute(models[len(part)], part)[wrapped.graph.output[0].name])
    return np.concatenate(parts)


def _execute(wrapped: ModelWrapper, x: np.ndarray, everything: bool = False) -> dict:
    return execute_onnx(wrapped, {wrapped.graph.input[0].name: x}, everything)


def _torch_outputs(model: nn.Module, x: Tensor) -> np.ndarray:
    was_training = model.training
    model.eval()
    with torch.no_grad():
        outputs = torch.cat([model(part) for part in x.split(BATCH)])
    model.train(was_training)
    return outputs.numpy()
