"""How a command fails: one sentence on stderr, or JSON on stdout, and an exit code."""

from __future__ import annotations

import json
import sys
import traceback

import typer

from codesign.errors import CodesignError, Interrupted

# typer brings its own copy of click, or needs click, depending on its version.
UsageError = typer.BadParameter.__base__
ClickException = UsageError.__base__

OUR_MISTAKE = 1
STOPPED = 130


def report_failure(failure: BaseException, as_json: bool, debug: bool) -> int:
    """Tell the user what went wrong and return the exit code; `debug` shows the traceback, too."""
    if isinstance(failure, SystemExit):
        return failure.code if isinstance(failure.code, int) else OUR_MISTAKE
    if debug and not isinstance(failure, ClickException):
        traceback.print_exception(failure)
    code, kind, sentence, fields = _explained(failure)
    if as_json:
        entry = {"code": kind, "message": sentence, "exit_code": code, "fields": fields}
        print(json.dumps({"error": entry}, indent=2, default=str))
    elif isinstance(failure, UsageError):
        failure.show()
    else:
        _print_red(sentence)
    return code


def _explained(failure: BaseException) -> tuple[int, str, str, dict[str, object]]:
    """(exit code, kind, sentence, fields) of a failure."""
    if isinstance(failure, CodesignError):
        return failure.exit_code, failure.code, failure.message, failure.fields
    if isinstance(failure, ClickException):
        return failure.exit_code, "Usage", failure.format_message(), {}
    if isinstance(failure, KeyboardInterrupt | typer.Abort):
        return STOPPED, Interrupted.__name__, "stopped by the user", {}
    if isinstance(failure, OSError):
        sentence = _of_system(failure)
        return 2, "BadInput", sentence, {"path": failure.filename, "reason": failure.strerror}
    return OUR_MISTAKE, type(failure).__name__, _of_bug(failure), {}


def _of_system(failure: OSError) -> str:
    where = f"{failure.filename}: " if failure.filename else ""
    return f"{where}cannot be read or written ({failure.strerror or failure})"


def _of_bug(failure: BaseException) -> str:
    text = str(failure).strip().partition("\n")[0]
    return (
        f"this is a mistake in codesign, not in your input: {type(failure).__name__}"
        f"{f' ({text})' if text else ''}; `codesign --debug ...` shows where, for a bug report"
    )


def _print_red(sentence: str) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True, highlight=False)
    console.print(Text(f"error: {sentence}", style="bold red"), soft_wrap=True)
    sys.stderr.flush()
