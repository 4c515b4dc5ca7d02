"""The integer graph against qonnx: the same classes, the same integers, every exception proven.

The tidy graph runs in lockstep with its integers. Where a quantised tensor differs, the exact
value before rounding is compared with the boundary between the two levels: within the float32
error bound of that element it is a tie that qonnx's float32 has decided the other way; anything
else is a failure. Then the exact value replaces qonnx's, so that each node is judged on its own.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from codesign.errors import BadInput
from codesign.graph.check_outputs import Lockstep, class_frames, output_frames
from codesign.graph.check_report import CheckReport, Difference
from codesign.graph.execute import execute, from_real, real_numbers, require_shape, to_stream
from codesign.graph.float_error import UNIT, magnitudes
from codesign.graph.ir import Decision, IntGraph, TensorView
from codesign.graph.passes import tidy
from codesign.graph.passes.pool_behind_quantiser import QUANTISERS, TRUNCATIONS
from codesign.graph.read import read_onnx
from codesign.graph.reference import (
    rebatched,
    run_node,
    start_context,
)

CHUNK_FRAMES = 100
QUANTISER_ROUNDINGS = 4
OFF_GRID = 2.0**-10  # in steps of the input; float32 inputs are off by less

Tensors = dict[str, np.ndarray]


def check_against_qonnx(path: Path | str, graph: IntGraph, x_onnx: np.ndarray) -> CheckReport:
    """Compare `graph`, imported from `path`, with qonnx on real inputs (frames, *ONNX shape).

    Raises BadInput for no frames, for another shape, and for inputs that are no finite numbers or
    that the host's integers do not mean.
    """
    require_shape(graph.input, real_numbers(graph.input, x_onnx))
    if not len(x_onnx):
        raise BadInput("the comparison with qonnx needs 1 frame or more, found none")
    model = tidy(read_onnx(Path(path)))
    parts = [
        _check_chunk(path, model, graph, np.asarray(x_onnx[i : i + CHUNK_FRAMES]), i)
        for i in range(0, len(x_onnx), CHUNK_FRAMES)
    ]
    return CheckReport(
        frames=len(x_onnx),
        tensors=parts[0].tensors,
        integers=sum(p.integers for p in parts),
        differences=tuple(d for p in parts for d in p.differences),
        class_mismatches=tuple(f for p in parts for f in p.class_mismatches),
        unexplained_classes=tuple(f for p in parts for f in p.unexplained_classes),
        wrong_outputs=tuple(f for p in parts for f in p.wrong_outputs),
    )


def _check_chunk(
    path: Path | str, model: Any, graph: IntGraph, x: np.ndarray, first: int
) -> CheckReport:
    """One batch; `first` is the number of its first frame."""
    batch = rebatched(model, len(x))
    context = start_context(batch, x)
    tensors = execute(graph, _host_integers(graph, batch, x), keep=True)[1]
    views = {v.onnx_tensor: v for v in graph.views if v.decision is not None}
    found: list[Difference] = []
    for node in batch.graph.node:
        run_node(batch, node, context)
        for view in (views[t] for t in node.output if t in views):
            found += _compare(batch, node, view, context, tensors, first)
            exact = view.real(tensors[view.tensor])
            context[view.onnx_tensor] = exact.astype(np.float32)
    lockstep = Lockstep(path, batch, graph, context, tensors, x, not found)
    wrong, unexplained = class_frames(lockstep, {d.frame - first for d in found})
    return CheckReport(
        frames=len(x),
        tensors=tuple(views),
        integers=sum(context[t].size for t in views),
        differences=tuple(found),
        class_mismatches=tuple(f + first for f in wrong),
        unexplained_classes=tuple(f + first for f in unexplained),
        wrong_outputs=tuple(f + first for f in output_frames(lockstep)),
    )


def _host_integers(graph: IntGraph, batch: Any, x: np.ndarray) -> np.ndarray:
    """What the host sends; where that is a quantiser's integers, qonnx quantises."""
    context = start_context(batch, x)
    for view in (v for v in graph.views if v.tensor == graph.input_tensor):
        producer = batch.find_producer(view.onnx_tensor)
        if producer.op_type in QUANTISERS:
            for node in batch.graph.node:
                run_node(batch, node, context)
                if node.name == producer.name:
                    break
            return _stream(view, _integers(view, context[view.onnx_tensor]))
    q = from_real(graph.input, x)
    _check_representable(graph, x, q)
    return to_stream(graph.input, q)


def _check_representable(graph: IntGraph, x: np.ndarray, q: np.ndarray) -> None:
    """Raise BadInput where the host's integers do not mean the inputs that qonnx gets."""
    host = graph.input
    error = np.abs(q * host.scale + host.offset - x)
    if error.max() > abs(host.scale) * OFF_GRID:
        worst = np.unravel_index(error.argmax(), error.shape)
        raise BadInput(
            f"input {host.name}: every value must be {host.scale:.9g}*q + {host.offset:.9g} with q "
            f"of type {host.qtype}, found {float(x[worst]):.9g} in frame {int(worst[0])}; compare "
            "on inputs that the host can send",
            frame=int(worst[0]),
        )


def _integers(view: TensorView, real: np.ndarray) -> np.ndarray:
    """Integers (frames, *ONNX shape) that real values of this tensor stand for."""
    zero, one = (view.real(np.full((1, view.order.size), q)) for q in (0, 1))
    return np.rint((real - zero) / (one - zero)).astype(np.int64)


def _stream(view: TensorView, values: np.ndarray) -> np.ndarray:
    out = np.empty((len(values), view.order.size), np.int64)
    out[:, view.order.reshape(-1)] = values.reshape(len(values), -1)
    return out


def _compare(
    batch: Any, node: Any, view: TensorView, context: Tensors, tensors: Tensors, first: int
) -> list[Difference]:
    """Every element of a quantised tensor that differs, with its proof or the lack of one."""
    ours = tensors[view.tensor][:, view.order].astype(np.int64)
    theirs = _integers(view, context[view.onnx_tensor])
    places = np.argwhere(ours != theirs)
    if not len(places):
        return []
    bound = _bound_in_levels(batch, node, context)
    found = []
    for place in map(tuple, places.tolist()):
        index = int(view.order[place[1:]])
        pair = int(ours[place]), int(theirs[place])
        exact = view.decision.argument(tensors, place[0], index)
        distance = _distance(view.decision, exact, index, pair)
        limit = float("inf") if bound is None else float(bound[place])
        found.append(
            Difference(
                place[0] + first,
                node.name,
                view.onnx_tensor,
                place[1:],
                *pair,
                float(exact),
                distance,
                limit,
            )
        )
    return found


def _distance(decision: Decision, exact: Fraction, index: int, pair: tuple[int, int]) -> float:
    """Distance of the exact argument from the farthest boundary between the levels of `pair`."""
    bounds = decision.bounds[index % len(decision.bounds)]
    moved = decision.shift or 0
    low, high = sorted((q + moved - decision.base) // decision.step for q in pair)
    return max(float(abs(exact - b.value)) for b in bounds[low:high])


def _bound_in_levels(batch: Any, node: Any, context: Tensors) -> np.ndarray | None:
    """Float32 error of the quantiser's argument, element by element."""
    magnitude = magnitudes(batch, node.input[0], context)
    if magnitude is None or node.op_type in TRUNCATIONS:
        return None
    own = QUANTISER_ROUNDINGS * UNIT
    if node.op_type == "MultiThreshold":
        return magnitude.bound
    zero = np.abs(context[node.input[2]]) if len(node.input) > 2 else 0.0
    scale = np.abs(context[node.input[1]])
    total = magnitude.bound * (1 + own) / scale
    return total + own * (magnitude.values / scale + zero)
