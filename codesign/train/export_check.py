"""Is the exported file the network? torch and qonnx on the same inputs, differences explained."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
import torch
from brevitas.quant_tensor import QuantTensor
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.change_batchsize import ChangeBatchSize
from qonnx.transformation.infer_shapes import InferShapes
from torch import Tensor, nn

from codesign.quant.handles import QuantHandle, handles
from codesign.train.export_names import node_name

TOLERANCE = 1e-5
FLIP_GAP = 1e-3
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
class QuantiserCall:
    """Values before and after one run of a quantiser; neighbours are `spacing` steps apart."""

    before: np.ndarray
    after: np.ndarray
    step: float
    spacing: int


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
    candidates = (_find_flip(model, wrapped, inputs, int(sample)) for sample in suspects)
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


def _is_tied(outputs: np.ndarray) -> np.ndarray:
    best = np.sort(outputs, axis=1)[:, -2:]
    return best[:, -1] - best[:, 0] <= TOLERANCE


def qonnx_outputs(wrapped: ModelWrapper, x: np.ndarray) -> np.ndarray:
    """Outputs of the network for float32 `x` (samples, *input_shape), by qonnx's executor."""
    # A Reshape holds the batch of 1 it was exported with.
    batch = 1 if wrapped.get_nodes_by_op_type("Reshape") else BATCH
    models: dict[int, ModelWrapper] = {}
    parts = []
    for start in range(0, len(x), batch):
        part = x[start : start + batch]
        if len(part) not in models:
            models[len(part)] = _with_batch(wrapped, len(part))
        parts.append(_execute(models[len(part)], part)[wrapped.graph.output[0].name])
    return np.concatenate(parts)


def _with_batch(wrapped: ModelWrapper, samples: int) -> ModelWrapper:
    return wrapped.transform(ChangeBatchSize(samples)).transform(InferShapes())


def _execute(wrapped: ModelWrapper, x: np.ndarray, everything: bool = False) -> dict:
    return execute_onnx(wrapped, {wrapped.graph.input[0].name: x}, everything)


def _torch_outputs(model: nn.Module, x: Tensor) -> np.ndarray:
    with torch.no_grad():
        return torch.cat([model(part) for part in x.split(BATCH)]).numpy()


def _accuracy(outputs: np.ndarray, y: Tensor | np.ndarray | None) -> float | None:
    return None if y is None else float((outputs.argmax(1) == np.asarray(y)).mean())


def _find_flip(
    model: nn.Module, wrapped: ModelWrapper, inputs: Tensor, sample: int
) -> FloatFlip | None:
    """The flip of one sample, or None when its first difference is more than a rounding."""
    x = inputs[sample : sample + 1]
    calls = _quantiser_calls(model, x)
    context = _execute(wrapped, x.numpy(), everything=True)
    for node in wrapped.graph.node:
        if node.name not in calls:
            continue
        call = calls[node.name]
        differs = np.abs(call.after - context[node.output[0]]) > call.step / 2
        if differs.any():
            gaps = np.abs(call.before - context[node.input[0]])[differs] / call.step
            jumps = np.abs(call.after - context[node.output[0]])[differs] / call.step
            gap = float(gaps.max())
            is_flip = gap <= FLIP_GAP and jumps.max() < call.spacing + 0.5
            return FloatFlip(sample, node.name, int(differs.sum()), gap) if is_flip else None
    return None


def _quantiser_calls(model: nn.Module, x: Tensor) -> dict[str, QuantiserCall]:
    """Inputs and outputs of the activation quantisers for `x`, under the names of their nodes."""
    calls: dict[str, QuantiserCall] = {}
    hooks = [
        handle.proxy.register_forward_hook(_recorder(node_name(handle), handle, calls))
        for handle in handles(model)
        if handle.role != "weight"
    ]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return calls


def _recorder(name: str, handle: QuantHandle, calls: dict[str, QuantiserCall]) -> Callable:
    spacing = 2 if handle.signed and handle.integer_bits() == 1 else 1
    runs = count()

    def record(_module: nn.Module, args: tuple, output: QuantTensor) -> None:
        run = next(runs)
        before = getattr(args[0], "value", args[0])
        step = float(output.scale)
        call = QuantiserCall(before.numpy(), output.value.numpy(), step, spacing)
        calls[f"{name}_{run}" if run else name] = call

    return record
