"""Samples that one float32 rounding sends to a neighbouring level, told apart from errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np
import torch
from brevitas.quant_tensor import QuantTensor
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from torch import Tensor, nn

from codesign.quant.handles import QuantHandle, handles
from codesign.train.export_names import node_name

FLIP_GAP = 1e-3


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


def find_flip(
    model: nn.Module, wrapped: ModelWrapper, x: Tensor, row: int, sample: int
) -> FloatFlip | None:
    """The flip of one sample, or None when its first difference is more than a rounding.

    `model` is in evaluation mode; `x` is the batch in which the sample was executed (its row `row`)
    and `wrapped` the exported file for that batch, as float32 sums differ from batch to batch.
    """
    calls = _quantiser_calls(model, x)
    context = execute_onnx(wrapped, {wrapped.graph.input[0].name: x.numpy()}, True)
    for node in wrapped.graph.node:
        if node.name not in calls:
            continue
        call = calls[node.name]
        moved = np.abs(call.after - context[node.output[0]])[row]
        differs = moved > call.step / 2
        if differs.any():
            gaps = np.abs(call.before - context[node.input[0]])[row][differs] / call.step
            jumps = moved[differs] / call.step
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
    spacing = handle.quantiser.widest_step
    runs = count()

    def record(_module: nn.Module, args: tuple, output: QuantTensor) -> None:
        run = next(runs)
        before = getattr(args[0], "value", args[0])
        step = float(output.scale)
        call = QuantiserCall(before.numpy(), output.value.numpy(), step, spacing)
        calls[f"{name}_{run}" if run else name] = call

    return record
