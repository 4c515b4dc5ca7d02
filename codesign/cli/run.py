"""`codesign run` and `codesign train`: recipes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli import show

if TYPE_CHECKING:
    from codesign.train.pipeline import RunResult

RecipeWord = Annotated[str, typer.Argument(help="A .toml file, or the name of a shipped recipe.")]
Out = Annotated[Path, typer.Option(help="Folder of the results; made when it is not there.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --out.")]
Data = Annotated[
    Path | None,
    typer.Option(help="Folder of the official data sets; default: CODESIGN_DATA."),
]
Seed = Annotated[int | None, typer.Option(help="Replaces the recipe's seed.")]
Json = Annotated[bool, typer.Option("--json", help="Print the metrics as JSON, nothing else.")]


def run(
    recipe: RecipeWord,
    out: Out,
    resume: Resume = False,
    data: Data = None,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Do the whole job of a recipe: train, export, check, lower, estimate, simulate, report.

    Ctrl-C keeps the last whole epoch; the same command with --resume goes on from it.

    Exits with 3 when the design does not fit its board or misses its target.

    Example: codesign run digits_pynq-z2 --out runs/digits
    """
    from codesign import api

    _finish(api.run(recipe, out, resume, seed, data, quiet=json), json)


def train(
    recipe: RecipeWord,
    out: Out,
    resume: Resume = False,
    data: Data = None,
    seed: Seed = None,
    json: Json = False,
) -> None:
    """Train only: leaves config.json and a checkpoint, which `codesign export` takes.

    Example: codesign train digits_pynq-z2 --out runs/digits --seed 3
    """
    from codesign import api

    _finish(api.train(recipe, out, resume, seed, data, quiet=json), json)


def _finish(result: RunResult, json: bool) -> None:
    from codesign.train.parallel import is_first

    if not is_first():
        return
    if json:
        show.print_json(result.metrics)
    else:
        for line in summary(result):
            show.print_line(line)
    if result.planned and not (result.planned.fits and result.planned.meets_target):
        raise typer.Exit(3)


def summary(result: RunResult) -> list[str]:
    """What a run has reached, one fact a line, each with its source."""
    from codesign.report.convert import shortfall, startup_part
    from codesign.report.format import percent, rate, seconds, startup

    lines = []
    if result.trained:
        lines.append(f"test accuracy {percent(result.trained.test_accuracy, 2)} (measured)")
        lines += filter(None, [result.trained.remark])
    if result.checks:
        checks = result.checks
        lines.append(
            f"integer graph {percent(checks.integer_accuracy, 2)} on {checks.samples:,} test "
            f"images (measured), qonnx's class on all but {len(checks.integers.class_mismatches)}"
        )
    if result.planned:
        estimate = result.planned.estimate
        lines.append(f"{estimate.verdict.sentence} ({estimate.source})")
        lines += filter(None, [shortfall(result.planned)])
    if result.simulation:
        s = result.simulation
        latency = s.latency_cycles / result.design.clock_hz
        lines.append(f"{rate(s.fps)} frames/s, latency {seconds(latency)} (simulated)")
        loading = startup_part(s.startup_cycles, s.clock_hz, "simulated")
        lines += [startup(loading)] if loading else []
    report = result.folder / "report.html"
    lines.append(f"report: {report}" if report.exists() else f"results: {result.folder}")
    return lines
