"""`codesign sweep`: many points, one table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from codesign.cli import show
from codesign.errors import BadInput

if TYPE_CHECKING:
    from codesign.sweep.run import Swept
    from codesign.sweep.spec import SweepSpec


def sweep(
    what: Annotated[str, typer.Argument(help="A sweep's .toml file, a recipe, or a shipped name.")],
    out: Annotated[Path, typer.Option(help="Folder of results.csv, the plot and the runs.")],
    boards: Annotated[str | None, typer.Option(help="Boards, with commas.")] = None,
    weight_bits: Annotated[str | None, typer.Option(help="Bits of weights: 2,4")] = None,
    act_bits: Annotated[str | None, typer.Option(help="Bits of activations, or: same")] = None,
    foldings: Annotated[
        str | None, typer.Option(help="Files of PE and SIMD, with commas, instead of a search.")
    ] = None,
    seeds: Annotated[str | None, typer.Option(help="Seeds of a recipe: 0,1,2")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; default: cores.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="An existing Dask cluster instead: tcp://host:port.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the rows as JSON.")] = False,
) -> None:
    """Do many points over widths, boards, targets, seeds and networks; one row of a table each.

    The same command goes on where it was stopped. Options replace the lists of the file.

    Exits with 2 when a point failed; all others are in the table.

    Example: codesign sweep cnv_widths --out runs/widths
    """
    from codesign.sweep.run import sweep as run_sweep
    from codesign.sweep.spec import find_sweep
    from codesign.train.progress import Watcher

    spec = _replaced(
        find_sweep(what),
        boards=_names(boards),
        weight_bits=_numbers("--weight-bits", weight_bits),
        act_bits=act_bits if act_bits == "same" else _numbers("--act-bits", act_bits),
        foldings=_names(foldings),
        seeds=_numbers("--seeds", seeds),
    )
    swept = run_sweep(spec, out, workers, scheduler, Watcher(quiet=json).track)
    if json:
        show.print_json(swept.rows)
    else:
        _print(swept, out)
    if swept.failed:
        raise typer.Exit(2)


def _replaced(spec: SweepSpec, **options: object) -> SweepSpec:
    try:
        given = {key: value for key, value in options.items() if value is not None}
        return msgspec.structs.replace(spec, **given)
    except ValueError as error:
        raise BadInput(f"sweep: {error}") from error


def _names(words: str | None) -> tuple[str, ...] | None:
    return words and tuple(word.strip() for word in words.split(","))


def _numbers(option: str, words: str | None) -> tuple[int, ...] | None:
    if words is None:
        return None
    try:
        return tuple(int(word) for word in words.split(","))
    except ValueError as error:
        raise BadInput(
            f"{option} must be whole numbers with commas such as 2,4, not {words!r}", found=words
        ) from error


def _print(swept: Swept, out: Path) -> None:
    from codesign.sweep.table import FILE_NAME
    from codesign.sweep.words import COLUMNS, WORDS, cells, failure

    optional = ("Layers", "Seed", "Target", "Folding")
    caption = "LUT, frames/s: sources stand in the table. Accuracy: measured on the test part."
    show.print_table("Sweep", COLUMNS, map(cells, swept.rows), caption, WORDS, optional)
    for row in swept.failed:
        show.print_line(failure(row), "bold red")
    show.print_line(f"{len(swept.rows)} points, {swept.skipped} of them finished before")
    show.print_line(f"table: {out / FILE_NAME}")
    if swept.plot:
        show.print_line(f"plot: {swept.plot}")
    show.print_line(f"report: {swept.page}")
