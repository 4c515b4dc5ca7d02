"""`codesign bench`: published comparisons of methods, run anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli import show

if TYPE_CHECKING:
    from codesign.bench.frame import Result

COLUMNS = ("Row", "Verdict", "Last epoch", "At best validation", "Published")


def bench(
    table: Annotated[
        str | None, typer.Argument(help="Name of a table; without it all are listed.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of runs and results; default: runs/bench/TABLE.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Runs of every row; default: the table's.")
    ] = None,
    rows: Annotated[
        str, typer.Option(help="Only rows with this in their name, as a table of their own.")
    ] = "",
    part: Annotated[
        float, typer.Option(help="A trial: this part of the images and epochs, 0 to 1.")
    ] = 1.0,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of the official data sets; default: CODESIGN_DATA."),
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto (a GPU where there is one), cpu or cuda.")
    ] = "auto",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a published comparison of quantisation methods under one scaled protocol.

    The same command goes on after a stop. Each row tells whether its published order came out.

    Example: codesign bench gaussian
    """
    from codesign.bench.tables import TABLES
    from codesign.bench.tables import bench as named
    from codesign.errors import BadInput

    if table is None:
        show.print_table(
            "Tables",
            ("Table", "What it compares"),
            [(k, w) for k, (_, w) in TABLES.items()],
            left=2,
        )
        return
    if not 0 < part <= 1:
        raise BadInput(f"--part must lie over 0 and at most 1, not {part:g}")
    from codesign.bench.frame import Context
    from codesign.bench.run import run_bench

    folder = out or Path("runs") / "bench" / table
    context = Context(folder, data, part, _device(device), show.print_aside)
    found = run_bench(named(table).only(rows), context, seeds)
    if json:
        show.print_json(found)
    else:
        _print(found)


def _device(wish: str) -> str:
    from codesign.errors import BadInput
    from codesign.recipe import DEVICES
    from codesign.train.device import chosen_device

    if wish not in DEVICES:
        raise BadInput(f"--device must be one of {', '.join(DEVICES)}, not {wish!r}", found=wish)
    chosen_device(wish)
    return wish


def _print(result: Result) -> None:
    from codesign.bench.run import cells

    rows = [(c[0], c[4], c[1], c[2], c[3]) for c in map(cells, result.rows)]
    caption = (
        f"{result.protocol}. Ours: {result.unit}, mean and 95 % interval over seeds (measured); "
        f"published: {result.published_unit}. {result.hours:.2f} h of run time."
    )
    show.print_table(result.title, COLUMNS, rows, caption, left=2)
