"""`codesign fit`: one network on several boards."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli import show
from codesign.cli.source import InputOffset, InputScale, InputType, PadChannels, read_model

if TYPE_CHECKING:
    from codesign.search.fit import BoardFit

COLUMNS = ("Board", "Fits", "Frames/s", "Proof")
CAPTION = (
    "Resources: fitted to synthesis where the family has rows, else analytic; shares of the usable "
    "budget. Frame rates: analytic; FIFOs proven by exact simulation. Proof: best = no folding "
    "within the budget is faster, else the bound."
)


def fit(
    model: Annotated[Path, typer.Argument(help="An ONNX file, a design.json or its folder.")],
    boards: Annotated[str, typer.Option(help="all, or names and .toml files with commas.")] = "all",
    target_fps: Annotated[float | None, typer.Option(help="Frames per second to reach.")] = None,
    target_latency: Annotated[float | None, typer.Option(help="Latency to reach (s).")] = None,
    pad_channels: PadChannels = False,
    input_type: InputType = None,
    input_scale: InputScale = None,
    input_offset: InputOffset = "0",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fold a network for each board: does it fit, how fast, what limits it and what would lift that.

    Exits with 3 when it fits none of the boards.

    Example: codesign fit model.onnx --boards pynq-z2,zcu104
    """
    from codesign import api

    names = None if boards == "all" else [name.strip() for name in boards.split(",")]
    network = read_model(model, input_type, input_scale, input_offset)
    chosen = api.boards() if names is None else [api.board(name) for name in names]
    rows = []
    for number, board in enumerate(chosen, start=1):
        with show.busy(f"board {number} of {len(chosen)}: {board.name}"):
            rows += api.fit(network, [board], target_fps, target_latency, pad_channels)
    if json:
        show.print_json(rows)
    else:
        _print(rows)
    if not any(row.fits for row in rows):
        raise typer.Exit(3)


def _print(rows: list[BoardFit]) -> None:
    from codesign.report.format import percent, rate, resource_name

    kinds = list(dict.fromkeys(kind for row in rows for kind in row.used))
    lines = [
        (
            row.board,
            "yes" if row.fits else "no",
            rate(row.fps) if row.fits else "–",
            _proof(row),
            *(percent(row.used.get(kind)) for kind in kinds),
            f"{row.seconds:.1f}",
        )
        for row in rows
    ]
    columns = (*COLUMNS, *map(resource_name, kinds), "Time (s)")
    optional = ("Time (s)", *map(resource_name, kinds[::-1]))
    show.print_table("Boards", columns, lines, CAPTION, left=2, optional=optional)
    for row in rows:
        help_ = f"; what would lift it: {row.lift}" if row.lift else ""
        show.print_line(f"{row.board}: limited by {row.bottleneck}{help_}")
        if row.padded:
            sizes = ", ".join(f"{layer} to {size}" for layer, size in row.padded.items())
            show.print_line(f"{row.board}: channels padded: {sizes}")


def _proof(row: BoardFit) -> str:
    from codesign.report.format import rate

    if not row.fits:
        return "proven" if row.proof else "–"
    return "best" if row.optimal else f"≤ {rate(row.fps_bound)}"
