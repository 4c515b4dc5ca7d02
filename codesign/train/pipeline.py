"""The whole job of a recipe: train, export, lower, check, estimate, tabulate, simulate, report."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from codesign.board import Board
from codesign.design import save_design
from codesign.errors import Interrupted
from codesign.files import write_bytes_atomic
from codesign.finn.apply import fold_as
from codesign.graph.ir import IntGraph
from codesign.provenance import provenance
from codesign.recipe import Recipe, TargetSpec, load_recipe
from codesign.report.convert import shortfall
from codesign.report.data import FILE_NAME as REPORT_DATA
from codesign.report.data import save_report_data
from codesign.report.render import write_report
from codesign.search.padded_plan import plan_padded
from codesign.search.plan import Plan, plan
from codesign.search.whatif import per_bitwidth
from codesign.sim.simulate import simulate
from codesign.train.checkpoint import FILE_NAME as CHECKPOINT
from codesign.train.checkpoint import load_checkpoint
from codesign.train.parallel import is_first
from codesign.train.progress import Watcher
from codesign.train.reload import CONFIG_FILE
from codesign.train.run_report import report_of
from codesign.train.run_result import RunResult
from codesign.train.stages import MODEL_FILE, check_model, export_model, lower_model
from codesign.train.training import train_recipe

METRICS_FILE = "metrics.json"
GOLDEN_FILE = "model.golden.npz"
REPORT_FILE = "report.html"
RESULTS = (
    *(METRICS_FILE, MODEL_FILE, GOLDEN_FILE, "design.json", "params.npz"),
    *(REPORT_DATA, REPORT_FILE),
)


@dataclass(frozen=True)
class Job:
    """A run under way: what it was asked for, and the result that its steps fill in."""

    result: RunResult
    watcher: Watcher
    resume: bool
    data_dir: Path | None


def run_recipe(
    path: str | Path | Recipe,
    out: Path,
    resume: bool = False,
    quiet: bool = False,
    data_dir: Path | None = None,
    seed: int | None = None,
    steps: tuple[str, ...] | None = None,
) -> RunResult:
    """Do what a recipe (a file, a shipped one by its name, or as it is) says, into folder `out`.

    Each file appears whole or not at all; files of an earlier run are removed first. `resume` goes
    on from the checkpoint in `out`; `seed` and `steps` replace the recipe's. Raises BadInput, Diverged,
    UnsupportedLayer, and Interrupted on Ctrl-C. A design that does not fit is a result.
    """
    recipe = path if isinstance(path, Recipe) else load_recipe(path)
    recipe = recipe if seed is None else recipe.with_seed(seed)
    result = RunResult(recipe, Path(out), provenance(recipe.train.seed))
    if resume:  # a checkpoint that cannot be used is refused before anything here is touched
        load_checkpoint(result.folder, recipe)
    job = Job(result, Watcher(quiet or not is_first()), resume, data_dir)
    if not is_first():  # the first of several processes does all but the training alone
        _train(job)
        return result
    _clear(result.folder, resume)
    _write_json(result.folder / CONFIG_FILE, {"recipe": recipe, **result.provenance})
    try:
        for step in recipe.steps if steps is None else steps:
            _timed(step, job)
    except KeyboardInterrupt as stop:
        raise Interrupted(
            f"the run was stopped; {out} keeps what was finished: run the same command with "
            "--resume",
            folder=str(out),
        ) from stop
    _write_json(result.folder / METRICS_FILE, result.metrics)
    return result


def _timed(step: str, job: Job) -> None:
    began = time.perf_counter()
    job.watcher.line(f"{step} ...")
    STEPS[step](job)
    job.result.seconds[step] = round(time.perf_counter() - began, 3)


def _train(job: Job) -> None:
    result = job.result
    result.trained = train_recipe(
        result.recipe, result.folder, job.resume, job.watcher, job.data_dir
    )
    job.watcher.line(f"test accuracy {result.trained.test_accuracy:.2%}")


def _export(job: Job) -> None:
    trained = job.result.trained
    export_model(trained.model, trained.data, job.result.folder)


def _lower(job: Job) -> None:
    job.result.graph = lower_model(job.result.folder)


def _check(job: Job) -> None:
    result, trained = job.result, job.result.trained
    result.checks = check_model(trained.model, trained.data, result.folder, result.graph)
    job.watcher.line(result.checks.sentence)


def _estimate(job: Job) -> None:
    result = job.result
    result.planned = _planned(result.graph, result.board, result.recipe.target)
    network = result.planned.network(result.graph)
    save_design(result.design, network.params, result.folder)
    words = (result.estimate.verdict.sentence, shortfall(result.planned), result.planned.proven)
    job.watcher.line(" ".join(filter(None, words)))


def _planned(graph: IntGraph, board: Board, target: TargetSpec) -> Plan:
    """Folded as a file says, or by the search."""
    if target.folding:
        return fold_as(Path(target.folding), graph, board, target.fps).plan
    make = plan_padded if target.pad_channels else plan
    return make(graph, board, target.fps, target.latency_s)


def _table(job: Job) -> None:
    result = job.result
    result.table = per_bitwidth(result.graph, result.board, result.design, refold=True)


def _simulate(job: Job) -> None:
    result = job.result
    result.simulation = simulate(result.design, result.board)
    job.watcher.line(
        f"simulated {result.simulation.fps:,.0f} frames/s, "
        f"latency {result.simulation.latency_cycles:,} cycles"
    )


def _report(job: Job) -> None:
    data = report_of(job.result)
    save_report_data(data, job.result.folder)
    write_report(data, job.result.folder)


STEPS: dict[str, Callable[[Job], None]] = {
    "train": _train,
    "export": _export,
    "lower": _lower,
    "check": _check,
    "estimate": _estimate,
    "table": _table,
    "simulate": _simulate,
    "report": _report,
}


def _clear(out: Path, resume: bool) -> None:
    for name in RESULTS if resume else (*RESULTS, CHECKPOINT):
        # A folder that forbids this cannot be written either, which the next step tells.
        with suppress(OSError):
            (out / name).unlink()


def _write_json(path: Path, content: object) -> None:
    text = msgspec.json.format(msgspec.json.encode(content), indent=2)
    write_bytes_atomic(path, text + b"\n")
