"""`codesign report`: draw the report again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codesign.cli import show


def report(
    folder: Annotated[Path, typer.Argument(help="A run folder, or one with a design.json.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Draw report.html of a run folder, or of an imported design, and print its path.

    Example: codesign report runs/digits
    """
    from codesign import api

    page = str(api.report(folder))
    if json:
        show.print_json({"report": page})
    else:
        show.print_line(page)
