"""How far float32 execution can be from exact arithmetic, element by element.

A float32 computation whose every term passes n roundings differs from the exact value by at most
gamma(n) = n*u/(1 - n*u) times the sum of the magnitudes of its terms, u = 2^-24 (N. J. Higham,
Accuracy and Stability of Numerical Algorithms, 2nd ed., lemma 3.1). `Magnitude` carries the sum
of the magnitudes and n from the quantised tensors, which are exact, forward through the nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from codesign.graph.passes.pool_behind_quantiser import QUANTISERS
from codesign.graph.reference import run_node

UNIT = 2.0**-24
BATCH_NORM_ROUNDINGS = 8
SMOOTH_ROUNDINGS = 16


@dataclass(frozen=True)
class Magnitude:
    """Sum of the magnitudes of all terms of each element, and the roundings each has passed."""

    values: np.ndarray
    roundings: int

    @property
    def bound(self) -> np.ndarray:
        """Largest distance of the float32 value from the exact one."""
        n = self.roundings * UNIT
        return self.values.astype(np.float64) * (1 + 2 * n) * n / (1 - n)


def magnitudes(model: Any, tensor: str, context: dict[str, np.ndarray]) -> Magnitude | None:
    """Magnitude of `tensor`, from quantised tensors, input and constants on; None if unknown op."""
    node = model.find_producer(tensor)
    if node is None or node.op_type in (*QUANTISERS, "DequantizeLinear"):
        return Magnitude(np.abs(context[tensor]), 2)
    parts = [magnitudes(model, name, context) for name in node.input if name]
    rule = RULES.get(node.op_type)
    if rule is None or any(part is None for part in parts):
        return None
    return rule(model, node, parts, context)


def _same_node(model: Any, node: Any, parts: list[Magnitude], context: dict) -> np.ndarray:
    """The node on magnitudes instead of values."""
    names = (name for name in node.input if name)  # an input may be left out
    given = {n: np.asarray(p.values, np.float32) for n, p in zip(names, parts, strict=True)}
    local = {**context, **given}
    run_node(model, node, local)
    return local[node.output[0]]


def _product(model: Any, node: Any, parts: list[Magnitude], context: dict) -> Magnitude:
    shape = context[node.input[1]].shape
    terms = int(np.prod(shape)) // shape[0] if node.op_type == "Conv" else max(shape)
    if node.op_type == "ConvTranspose":
        terms = int(np.prod(shape)) // shape[1]
    roundings = sum(p.roundings for p in parts) + terms + 2
    return Magnitude(_same_node(model, node, parts, context), roundings)


def _mean(model: Any, node: Any, parts: list[Magnitude], context: dict) -> Magnitude:
    terms = context[node.input[0]].size // context[node.output[0]].size + 2
    return Magnitude(_same_node(model, node, parts, context), parts[0].roundings + terms)


def _sum(model: Any, node: Any, parts: list[Magnitude], context: dict) -> Magnitude:
    values = sum(p.values for p in parts[1:]) + parts[0].values
    return Magnitude(values, max(p.roundings for p in parts) + len(parts) - 1)


def _times(model: Any, node: Any, parts: list[Magnitude], context: dict) -> Magnitude:
    values = _same_node(model, node, parts, context)
    return Magnitude(values, sum(p.roundings for p in parts) + 1)


def _batch_norm(model: Any, node: Any, parts: list[Magnitude], context: dict) -> Magnitude:
    column = (1, -1, *(1,) * (context[node.input[0]].ndim - 2))
    gamma, beta, mean, var = (context[n].reshape(column) for n in node.input[1:])
    epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
    factor = np.abs(gamma) / np.sqrt(var.astype(np.float64) + epsilon)
    values = factor * (parts[0].values + np.abs(mean)) + np.abs(beta)
    return Magnitude(values, parts[0].roundings + BATCH_NORM_ROUNDINGS)


def _passes(model: Any, node: Any, parts: list[Magnitude], context: dict) -> Magnitude:
    """Functions that never spread two values further apart, elementwise or by moving elements."""
    return parts[0]


def _moves(model: Any, node: Any, parts: list[Magnitude], context: dict) -> Magnitude:
    local = dict(context)
    local[node.input[0]] = parts[0].values.astype(np.float32)
    run_node(model, node, local)
    return Magnitude(local[node.output[0]], parts[0].roundings)


def _squashed(model: Any, node: Any, parts: list[Magnitude], context: dict) -> Magnitude:
    """Functions of slope 1 and value 1 at most, by onnxruntime's rational approximations."""
    return Magnitude(np.maximum(parts[0].values, 1.0), parts[0].roundings + SMOOTH_ROUNDINGS)


def _rearranged(model: Any, node: Any, parts: list[Magnitude], context: dict) -> Magnitude:
    """Elements moved, repeated, put together or padded."""
    values = _same_node(model, node, parts, context)
    return Magnitude(values, max(p.roundings for p in parts))


RULES: dict[str, Callable[..., Magnitude]] = {
    "MatMul": _product,
    "Gemm": _product,
    "Conv": _product,
    "Add": _sum,
    "Sub": _sum,
    "Sum": _sum,
    "Mul": _times,
    "Div": _times,
    "BatchNormalization": _batch_norm,
    "AveragePool": _mean,
    "GlobalAveragePool": _mean,
    "ReduceMean": _mean,
    "ReduceSum": _mean,
    "Relu": _passes,
    "Clip": _passes,
    "LeakyRelu": _passes,
    "MaxPool": _moves,
    "Reshape": _moves,
    "Flatten": _moves,
    "Transpose": _moves,
    "Squeeze": _moves,
    "Unsqueeze": _moves,
    "Identity": _passes,
    "ConvTranspose": _product,
    "Sigmoid": _squashed,
    "Tanh": _squashed,
    "HardSigmoid": _squashed,
    "Concat": _rearranged,
    "Pad": _moves,
    "Slice": _moves,
    "Resize": _moves,
    "Upsample": _moves,
    "DepthToSpace": _moves,
    "SpaceToDepth": _moves,
}
