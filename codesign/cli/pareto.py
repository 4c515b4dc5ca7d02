"""`codesign pareto`: frames per second against LUTs and block RAMs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli import show
from codesign.cli.source import InputOffset, InputScale, InputType, read_model

if TYPE_CHECKING:
    from codesign.search.pareto import Point

Board = Annotated[
    str | None, typer.Option(help="Name or .toml file; a Design's own board is the default.")
]
CAPTION = (
    "Frame rates: analytic; resources: fitted where the family has rows. Proof: least = no folding "
    "as fast with as many block RAMs takes fewer LUTs, else how many it takes at least. FIFOs as "
    "deep as full rate needs."
)


def pareto(
    model: Annotated[Path, typer.Argument(help="An ONNX file, a design.json or its folder.")],
    board: Board = None,
    rates: Annotated[int, typer.Option(min=1, help="Frame rates to look at.")] = 6,
    memories: Annotated[int, typer.Option(min=1, help="Numbers of block RAMs for each.")] = 4,
    input_type: InputType = None,
    input_scale: InputScale = None,
    input_offset: InputOffset = "0",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The front of frames per second, LUTs and block RAMs within a board's budget.

    Exits with 3 when nothing fits.

    Example: codesign pareto model.onnx --board zcu104 --rates 8
    """
    from codesign import api

    network = read_model(model, input_type, input_scale, input_offset)
    with show.busy("the cheapest foldings at each rate"):
        points = api.pareto(network, board, rates, memories)
    if json:
        show.print_json(points)
    else:
        _print(points)
    if not points:
        raise typer.Exit(3)


def _print(points: tuple[Point, ...]) -> None:
    from codesign.report.format import count, rate, resource_name

    kinds = [k for k in (points[0].counts if points else ()) if any(p.counts[k] for p in points)]
    rows = [
        (
            rate(p.fps),
            *(count(p.counts[k]) for k in kinds),
            "least" if p.proven else f"≥ {count(p.lut_bound)}",
        )
        for p in points
    ]
    columns = ("Frames/s", *map(resource_name, kinds), "Proof")
    show.print_table("Pareto front", columns, rows, CAPTION, left=0)
