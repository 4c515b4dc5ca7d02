"""`codesign build`: a design as SystemVerilog."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codesign.cli import show

DesignPath = Annotated[Path, typer.Argument(help="A design.json, or the folder that holds it.")]


def build(
    design: DesignPath,
    out: Annotated[Path, typer.Option(help="Folder for the hardware; replaced as a whole.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write a design as SystemVerilog: top, memories, library, file list and test bench.

    The same design gives the same bytes. Exits with 4 when its FIFO depths stop the machine.

    Example: codesign build runs/digits --out rtl
    """
    from codesign import api

    with show.busy("writing hardware"):
        files = api.build(design, out)
    if json:
        show.print_json({"folder": str(out), "files": files})
    else:
        show.print_line(f"{out / 'top.sv'} and {len(files) - 1} files; read them by {out}/files.f")
