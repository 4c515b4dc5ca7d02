"""Is the exported file the network? torch and qonnx on the same inputs, differences explained."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from torch import Tensor, nn

from codesign.graph.reference import rebatched
from codesign.train.float_flips import FloatFlip, find_flip

TOLERANCE = 1e-5
BATCH = 100


@dataclass(frozen=True)
class ExportCheck:
    """torch against qonnx on `samples` inputs.

    `max_abs_difference` is over the samples without a float flip. `mismatched_classes` counts the
    samples whose arg-max differs; `tied_classes` of them have two outputs on top that are equal
    within 1e-5 (equal integers, usually), so that the last float32 rounding chose the class, and
    `unexplained_classes` of them have neither such a tie nor a flip.
    Accuracies are None without labels.
    """

    samples: int
    max_abs_difference: float
    mismatched_classes: int
    tied_classes: int
    unexplained_classes: int
    flips: tuple[FloatFlip, ...]
    torch_accuracy: float | None = None
    qonnx_accuracy: float | None = None

    @property
    def float_flips(self) -> int:
        """Samples that differ because one float32 rounding lands on the other side."""
        return len(self.flips)

    @property
    def is_same(self) -> bool:
        """Outputs within 1e-5 and the same class, but for samples with a flip or a tie."""
        return self.max_abs_difference <= TOLERANCE and not self.unexplained_classes


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
    model = copy.deepcopy(model).eval().cpu()
    wrapped = ModelWrapper(str(path))
    expected = _torch_outputs(model, inputs)
    found = qonnx_outputs(wrapped, inputs.numpy())
    worst = np.abs(expected - found).reshape(len(inputs), -1).max(axis=1)
    suspects = np.flatnonzero(worst > TOLERANCE)
    candidates = (_flip_of(model, wrapped, inputs, int(sample)) for sample in suspects)
    flips = tuple(flip for flip in candidates if flip is not None)
    flipped = np.isin(np.arange(len(inputs)), [flip.sample for flip in flips])
    differs = expected.argmax(1) != found.argmax(1)
    tied = differs & _is_tied(expected)
    return ExportCheck(
        samples=len(inputs),
        max_abs_difference=float(worst[~flipped].max(initial=0.0)),
        mismatched_classes=int(differs.sum()),
        tied_classes=int(tied.sum()),
        unexplained_classes=int((differs & ~tied & ~flipped).sum()),
        flips=flips,
        torch_accuracy=_accuracy(expected, y),
        qonnx_accuracy=_accuracy(found, y),
    )


def _flip_of(
    model: nn.Module, wrapped: ModelWrapper, inputs: Tensor, sample: int
) -> FloatFlip | None:
    """The flip of a sample in the batch in which both executions had it."""
    start = sample - sample % BATCH
    part = inputs[start : start + BATCH]
    return find_flip(model, rebatched(wrapped, len(part)), part, sample - start, sample)


def _is_tied(outputs: np.ndarray) -> np.ndarray:
    best = np.sort(outputs, axis=1)[:, -2:]
    return best[:, -1] - best[:, 0] <= TOLERANCE


def qonnx_outputs(wrapped: ModelWrapper, x: np.ndarray) -> np.ndarray:
    """Outputs of the network for float32 `x` (samples, *input_shape), by qonnx's executor."""
    source, result = wrapped.graph.input[0].name, wrapped.graph.output[0].name
    parts = [x[start : start + BATCH] for start in range(0, len(x), BATCH)]
    models = {size: rebatched(wrapped, size) for size in {len(part) for part in parts}}
    return np.concatenate(
        [execute_onnx(models[len(part)], {source: part})[result] for part in parts]
    )


def _torch_outputs(model: nn.Module, x: Tensor) -> np.ndarray:
    with torch.no_grad():
        return torch.cat([model(part) for part in x.split(BATCH)]).numpy()


def _accuracy(outputs: np.ndarray, y: Tensor | np.ndarray | None) -> float | None:
    return None if y is None else float((outputs.argmax(1) == np.asarray(y)).mean())
