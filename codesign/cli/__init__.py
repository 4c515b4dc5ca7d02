"""The command line: one file per command; this one joins them and turns failures into sentences.

Commands import what they need inside their functions, so that `codesign boards` stays fast.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence

import typer

from codesign.cli import (
    bench,
    boards,
    build,
    calibrate,
    characterise,
    check_tools,
    estimate,
    export,
    fit,
    importing,
    memory,
    pareto,
    report,
    run,
    simulate,
    sweep,
    verify,
)
from codesign.cli.failures import STOPPED, report_failure

# Packages whose warnings tell a user of the command line nothing.
OTHERS = r"(brevitas|torch|onnx|qonnx|numba|sklearn)(\.|$)"

app = typer.Typer(
    name="codesign",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="From a quantised neural network to a streaming accelerator that fits a named FPGA board.",
    epilog="Start with: codesign run digits_pynq-z2 --out runs/digits",
)


@app.callback()
def options(
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of a failure."),
) -> None:
    """From a quantised neural network to a streaming accelerator that fits a named FPGA board."""


for command in (
    run.run,
    run.train,
    export.export,
    importing.import_,
    estimate.estimate,
    fit.fit,
    pareto.pareto,
    sweep.sweep,
    simulate.simulate,
    build.build,
    verify.verify,
    memory.memory,
    bench.bench,
    boards.boards,
    report.report,
    characterise.characterise,
    calibrate.calibrate,
    calibrate.model_report,
    check_tools.doctor,
):
    app.command(name=command.__name__.rstrip("_").replace("_", "-"))(command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0 done, 2 bad input, 3 does not fit the board, 4 deadlock, 5 hardware and model differ, 6
    training diverged, 130 stopped by the user; 1 is a mistake of ours.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    if not debug:
        warnings.filterwarnings("ignore", module=OTHERS)
    try:
        code = app(words, prog_name="codesign", standalone_mode=False) or 0
        if code == STOPPED:  # typer swallows Ctrl-C
            raise KeyboardInterrupt
        return code
    except BaseException as failure:  # noqa: BLE001  every way to end becomes an exit code
        return report_failure(failure, as_json="--json" in words, debug=debug)
