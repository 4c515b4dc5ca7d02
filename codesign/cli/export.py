"""`codesign export`: the QONNX file of a trained network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codesign.cli import show


def export(
    folder: Annotated[Path, typer.Argument(help="Folder with config.json and checkpoint.pt.")],
    out: Annotated[Path | None, typer.Option(help="Where to write; default: the folder.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder of the official data sets; default: CODESIGN_DATA.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write model.onnx (QONNX) and golden inputs and outputs of a checkpoint.

    Example: codesign export runs/digits
    """
    from codesign import api

    result = api.export(folder, out, data)
    if json:
        show.print_json(
            {
                "model": str(result.path),
                "golden": str(result.golden_path),
                "golden_samples": result.golden_samples,
            }
        )
        return
    show.print_line(str(result.path))
    show.print_line(f"{result.golden_path} ({result.golden_samples} golden pairs)")
