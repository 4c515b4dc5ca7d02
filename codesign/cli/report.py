"""`codesign report`: draw the report again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codesign.cli import show


def report(
    folder: Annotated[Path, typer.Argument(help="A run folder, or one with a design.json.")],
) -> None:
    """Draw report.html of a run folder, or of an imported design, and print its path.

    Example: codesign report runs/digits
    """
    from codesign import api

    show.print_line(str(api.report(folder)))
