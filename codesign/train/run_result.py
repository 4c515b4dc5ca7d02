"""What a run has made, and the numbers of it that go to metrics.json."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from codesign.board import Board
from codesign.cost.estimate import DesignEstimate
from codesign.design import Design
from codesign.graph.ir import IntGraph
from codesign.recipe import Recipe
from codesign.search.plan import Plan
from codesign.search.whatif import BitwidthTable
from codesign.sim.simulate import Simulation
from codesign.train.stages import Checks
from codesign.train.training import Trained


@dataclass
class RunResult:
    """A run's results so far; a step that the recipe leaves out stays None.

    `seconds` maps each step to the wall-clock time it took; `folder` holds the files.
    """

    recipe: Recipe
    folder: Path
    provenance: dict[str, object]
    trained: Trained | None = None
    graph: IntGraph | None = None
    checks: Checks | None = None
    planned: Plan | None = None
    table: BitwidthTable | None = None
    simulation: Simulation | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @cached_property
    def board(self) -> Board:
        """The board with its share and clock."""
        return self.recipe.board.load()

    @property
    def design(self) -> Design | None:
        """The accelerator, once it is planned."""
        return self.planned.design if self.planned else None

    @property
    def estimate(self) -> DesignEstimate | None:
        """Its resources and verdict, once it is planned."""
        return self.planned.estimate if self.planned else None

    @property
    def fits(self) -> bool | None:
        """Whether the design fits the board by the estimator; None before the estimate."""
        return self.estimate.verdict.fits if self.estimate else None

    @property
    def metrics(self) -> dict[str, object]:
        """What metrics.json holds: a section for each step that ran."""
        sections = {
            "train": (self.trained, _train_metrics),
            "check": (self.checks, _check_metrics),
            "estimate": (self.planned, _estimate_metrics),
            "simulate": (self.simulation, _simulate_metrics),
        }
        found = {name: make(part) for name, (part, make) in sections.items() if part is not None}
        return {"seed": self.recipe.train.seed, "seconds": self.seconds, **found}


def _train_metrics(trained: Trained) -> dict[str, object]:
    projection = trained.projection
    return {
        "test_accuracy": trained.test_accuracy,
        "validation_accuracy": trained.validation_accuracy,
        "epochs": len(trained.history),
        "bits": {f"{name} ({role})": bits for (name, role), bits in trained.bits.items()},
        "projection": projection.sentence if projection else None,
        "remark": trained.remark or None,
        "history": trained.history,
    }


def _check_metrics(checks: Checks) -> dict[str, object]:
    return {
        "samples": checks.samples,
        "torch_accuracy": checks.export.torch_accuracy,
        "qonnx_accuracy": checks.export.qonnx_accuracy,
        "integer_accuracy": checks.integer_accuracy,
        "torch_qonnx_max_abs_difference": checks.export.max_abs_difference,
        "torch_qonnx_class_mismatches": checks.export.mismatched_classes,
        "torch_qonnx_float_flips": checks.export.float_flips,
        "torch_integer_class_mismatches": checks.integer_mismatches,
        "qonnx_integer_class_mismatches": len(checks.integers.class_mismatches),
        "qonnx_integer_unproven": len(checks.integers.unproven),
        "sentence": checks.sentence,
    }


def _estimate_metrics(planned: Plan) -> dict[str, object]:
    estimate = planned.estimate
    return {
        "fits": estimate.verdict.fits,
        "meets_target": planned.meets_target,
        "verdict": estimate.verdict.sentence,
        "total": estimate.total.flat(),
        "budget": estimate.budget.flat(),
        "interval_cycles": estimate.interval_cycles,
        "fps": estimate.fps,
        "bottleneck": estimate.bottleneck,
        "source": estimate.source,
    }


def _simulate_metrics(simulation: Simulation) -> dict[str, object]:
    return {
        "interval_cycles": float(simulation.interval_cycles),
        "latency_cycles": simulation.latency_cycles,
        "fps": simulation.fps,
        "io_bound": simulation.io_bound,
    }
