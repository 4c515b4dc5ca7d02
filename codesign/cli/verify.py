"""`codesign verify`: the hardware of a design against its model, under Verilator."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli import show
from codesign.cli.build import DesignPath

if TYPE_CHECKING:
    from codesign.verify.verify import Verification


def verify(
    design: DesignPath,
    frames: Annotated[
        int | None, typer.Option(min=1, help="Frames to run (default: 10, or all of --inputs).")
    ] = None,
    inputs: Annotated[
        Path | None,
        typer.Option(help="Real inputs (frames, *model input) as .npy, or a golden .npz."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of random frames and stalls.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder to work in, kept.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a design's hardware under Verilator and compare every bit and every cycle with the model.

    Frames are those of --inputs, else the golden ones beside the design, else random. They run
    free, with random gaps at source and sink, and with an arbitrary pattern of ready. Exits with 5
    where hardware and model differ, and then keeps a waveform.

    Example: codesign verify runs/digits --frames 10
    """
    from codesign import api

    with show.busy("compiling and running the hardware"):
        found = api.verify(design, frames, inputs, seed, out)
    if json:
        show.print_json(found)
    else:
        _print(found)


def _print(found: Verification) -> None:
    from codesign.report.format import count

    rows = [
        (r.pacing, count(r.cycles), count(r.values), count(r.times) if r.times else "–",
         f"{r.seconds:.1f}")
        for r in found.runs
    ]  # fmt: skip
    columns = ("Source and sink", "Cycles", "Values equal", "Cycles of beats equal", "Seconds")
    caption = f"Verilator {found.verilator}, built in {found.build_seconds:.1f} s; inputs: {found.inputs}."
    show.print_table(found.design, columns, rows, caption)
    show.print_line(found.sentence, "bold green")
