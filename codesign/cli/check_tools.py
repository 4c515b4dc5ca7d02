"""`codesign doctor`: which tools and packages are there."""

from __future__ import annotations

from typing import Annotated

import typer

from codesign.cli import show

COLUMNS = ("Name", "Version", "", "What for")


def doctor(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tell which tools, packages and data sets are there and how to get what is missing.

    Exits with 2 when something that is needed is missing.

    Example: codesign doctor
    """
    from codesign.doctor import checks

    found = checks()
    if json:
        show.print_json(found)
    else:
        needs = {True: "needed", False: "optional"}
        rows = [(c.name, c.version or "missing", needs[c.needed], c.needed_for) for c in found]
        show.print_table("What is installed", COLUMNS, rows, left=4)
        for missing in (c for c in found if not c.found):
            show.print_line(f"to get {missing.name}: {missing.install}")
    if any(c.needed and not c.found for c in found):
        raise typer.Exit(2)
