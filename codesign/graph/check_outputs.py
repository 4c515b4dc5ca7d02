"""The outputs of the integer graph against qonnx: classes, or values within float32's error."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codesign.graph.chain import evaluate
from codesign.graph.float_error import SMOOTH_ROUNDINGS, UNIT, magnitudes
from codesign.graph.ir import IntGraph, TensorView
from codesign.graph.reference import does_the_same, run_qonnx

# What may stand between the logits and the output.
CLASS_OPS = ("Softmax", "LogSoftmax", "ArgMax", "TopK", "Reshape", "Flatten", "Squeeze", "Identity")


@dataclass(frozen=True)
class Lockstep:
    """A batch after its run in lockstep: qonnx's tensors, our integers, the inputs of both.

    `undisturbed` says that no quantised tensor differed, so that nothing was replaced.
    """

    path: Path | str
    batch: Any
    graph: IntGraph
    context: dict[str, np.ndarray]
    tensors: dict[str, np.ndarray]
    x: np.ndarray
    undisturbed: bool

    @property
    def output(self) -> str:
        """ONNX name of the output."""
        return self.batch.graph.output[0].name

    @property
    def view(self) -> TensorView | None:
        """What the output tensor means in integers, where that is affine."""
        return next((v for v in self.graph.views if v.onnx_tensor == self.output), None)

    def plain_output(self) -> np.ndarray:
        """Output of the file as it is; the lockstep's own where both did the very same."""
        same = self.undisturbed and does_the_same(self.batch, self.path, len(self.x))
        return self.context[self.output] if same else run_qonnx(self.path, self.x)


def class_frames(run: Lockstep, tied: set[int]) -> tuple[list[int], list[int]]:
    """Frames whose class differs from the file's, and those of them without an explanation.

    In lockstep every class must agree, unless float32 cannot tell the two logits apart; in the
    plain execution a frame in `tied` may also differ, because a proven tie came before.
    """
    if run.graph.output.meaning != "class":
        return [], []
    ours = run.tensors[run.graph.output_tensor][:, 0]
    plain, lockstep = _class_of(run.plain_output()), _class_of(run.context[run.output])
    wrong = np.flatnonzero(ours != plain).tolist()
    doubtful = {*np.flatnonzero(ours != lockstep).tolist(), *(set(wrong) - tied)}
    unexplained = [
        f for f in sorted(doubtful) if not _inseparable(run, f, {ours[f], lockstep[f], plain[f]})
    ]
    return wrong, unexplained


def output_frames(run: Lockstep) -> list[int]:
    """Frames whose real outputs lie farther from the exact ones than float32's error bound."""
    view = run.view
    if run.graph.output.meaning == "class" or view is None or view.decision is not None:
        return []
    magnitude = magnitudes(run.batch, run.output, run.context)
    exact = view.real(run.tensors[view.tensor])
    error = np.abs(run.context[run.output] - exact)
    bound = 0.0 if magnitude is None else magnitude.bound + UNIT * np.abs(exact)
    return np.flatnonzero((error > bound).reshape(len(error), -1).any(axis=1)).tolist()


def _class_of(output: np.ndarray) -> np.ndarray:
    """Class indices from logits (frames, classes), or as the file computes them."""
    flat = output.reshape(len(output), -1)
    return flat[:, 0].astype(np.int64) if flat.shape[1] == 1 else flat.argmax(axis=1)


def _logits(batch: Any, tensor: str) -> str:
    """The tensor whose largest element `tensor` tells."""
    node = batch.find_producer(tensor)
    while node is not None and node.op_type in CLASS_OPS:
        tensor = node.input[0]
        node = batch.find_producer(tensor)
    return tensor


def _inseparable(run: Lockstep, frame: int, classes: set[int]) -> bool:
    """True when the exact logits of `classes` lie closer together than float32 can tell."""
    logits = _logits(run.batch, run.output)
    view = next((v for v in run.graph.views if v.onnx_tensor == logits), None)
    magnitude = magnitudes(run.batch, logits, run.context)
    if view is None or magnitude is None:
        return False
    bound = magnitude.bound[frame].reshape(-1)
    if logits != run.output:  # probabilities are rounded once more, where they are computed
        bound = bound + SMOOTH_ROUNDINGS * UNIT * (1 + magnitude.values[frame].reshape(-1))
    order, q = view.order.reshape(-1), run.tensors[view.tensor][frame]
    exact = {int(c): evaluate(view.chain, int(q[order[c]]), int(order[c])) for c in classes}
    spread = max(exact.values()) - min(exact.values())
    return float(spread) <= 2 * max(float(bound[c]) for c in exact)
