"""What a worker does with a point; whatever goes wrong becomes a sentence."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from codesign.errors import CodesignError
from codesign.sweep.points import Point, families

if TYPE_CHECKING:
    from codesign.graph.ir import IntGraph
    from codesign.search.plan import Plan


class Task(msgspec.Struct, frozen=True):
    """A point and the folder (absolute) that a recipe's files go to."""

    point: Point
    folder: str


class Outcome(msgspec.Struct, frozen=True):
    """Columns that a point has reached, or the sentence that says why it has not."""

    columns: dict[str, object] = {}
    error: str = ""


def run_task(task: Task) -> Outcome:
    """Do one point; never raises."""
    began = time.perf_counter()
    try:
        columns = _estimated(task.point) if task.point.recipe is None else _trained(task)
    except CodesignError as error:
        return Outcome(error=error.message)
    except Exception as error:  # noqa: BLE001  one point's mistake must not end the others
        return Outcome(error=f"a mistake in codesign, {type(error).__name__}: {error}")
    return Outcome({**columns, "duration_s": round(time.perf_counter() - began, 3)})


def _estimated(point: Point) -> dict[str, object]:
    from codesign import api

    graph = _graph(point)
    if point.folding:
        return _planned(api.fold_as(graph, point.folding, point.board, point.target_fps).plan)
    targets = point.target_fps, None, None
    return _planned(api.estimate(graph, point.board, *targets, point.pad_channels))


def _graph(point: Point) -> IntGraph:
    """The network at the widths of the point; input, logits and what is not named stay."""
    from codesign import api
    from codesign.search.layers import inner_quantisers
    from codesign.search.retyping import retype, weight_bits_of

    if point.model in families():
        graph, weights, acts = families()[point.model](point.weight_bits, point.act_bits), {}, {}
    else:
        graph = api.load(point.model, point.input, point.input_scale)
        weights = dict.fromkeys(weight_bits_of(graph), point.weight_bits)
        acts = dict.fromkeys(inner_quantisers(graph), point.act_bits)
    weights |= point.layer_weight_bits
    weights, acts = ({k: b for k, b in bits.items() if b is not None} for bits in (weights, acts))
    return retype(graph, weights, acts) if weights or acts else graph


def _planned(plan: Plan) -> dict[str, object]:
    estimate = plan.estimate
    return {
        "fits": plan.fits,
        "meets_target": plan.meets_target,
        "fps": estimate.fps,
        "fps_source": "analytic",
        "interval_cycles": float(estimate.interval_cycles),
        **{kind.lower(): count for kind, count in estimate.total.flat().items()},
        "resources_source": estimate.source,
        "bottleneck": estimate.bottleneck,
        "proof": plan.proven,
    }


def _trained(task: Task) -> dict[str, object]:
    """The whole job, from its last checkpoint where it was stopped before."""
    from codesign.train.checkpoint import FILE_NAME as CHECKPOINT
    from codesign.train.pipeline import run_recipe

    folder = Path(task.folder)
    result = run_recipe(
        task.point.recipe, folder, resume=(folder / CHECKPOINT).exists(), quiet=True
    )
    columns = {} if result.planned is None else _planned(result.planned)
    if result.trained:
        columns["test_accuracy"] = result.trained.test_accuracy
    if result.checks:
        columns["integer_accuracy"] = result.checks.integer_accuracy
    if result.simulation:
        columns["latency_s"] = result.simulation.latency_cycles / result.design.clock_hz
        columns |= {"fps": result.simulation.fps, "fps_source": "simulated"}
    return columns | {"folder": folder.name}
