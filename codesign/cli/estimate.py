"""`codesign estimate`: resources, frame rate and verdict on a board."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli import show
from codesign.cli.source import (
    InputOffset,
    InputScale,
    InputType,
    PadChannels,
    number,
    params_of,
    read_model,
)
from codesign.errors import BadInput

if TYPE_CHECKING:
    from codesign.design import Design
    from codesign.graph.ir import IntGraph
    from codesign.report.data import ReportData
    from codesign.search.plan import Plan

Board = Annotated[
    str | None, typer.Option(help="Name or .toml file; a Design's own board is the default.")
]


def estimate(
    model: Annotated[Path, typer.Argument(help="An ONNX file, a design.json or its folder.")],
    board: Board = None,
    target_fps: Annotated[float | None, typer.Option(help="Frames per second to reach.")] = None,
    target_latency: Annotated[float | None, typer.Option(help="Latency to reach (s).")] = None,
    minimise: Annotated[
        str | None,
        typer.Option(help="What to spend least of: lut, or weights such as lut=1,BRAM18=50."),
    ] = None,
    pad_channels: PadChannels = False,
    folding: Annotated[
        Path | None, typer.Option(help="A FINN folding configuration (JSON) instead of a search.")
    ] = None,
    write_folding: Annotated[
        Path | None, typer.Option(help="Also write the folding as FINN reads it (JSON).")
    ] = None,
    per_bitwidth: Annotated[
        bool, typer.Option("--per-bitwidth", help="Also the table at every width 1 to 8.")
    ] = False,
    refold: Annotated[
        bool, typer.Option("--refold", help="The table also folded anew at each width (slower).")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for Design and report.")] = None,
    input_type: InputType = None,
    input_scale: InputScale = None,
    input_offset: InputOffset = "0",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fold a network for a board and tell its LUT, FF, DSP, memory, frame rate and verdict.

    Without a target: the largest frame rate that fits.

    Exits with 3 when it does not fit, or misses the target.

    Example: codesign estimate model.onnx --board pynq-z2 --per-bitwidth
    """
    from codesign import api

    network = read_model(model, input_type, input_scale, input_offset)
    with show.busy("folding, FIFOs, estimate"):
        if folding is None:
            wanted = weights_of(minimise)
            targets = target_fps, target_latency
            plan = api.estimate(network, board, *targets, wanted, pad_channels)
        else:
            _check_alone(
                pad_channels=pad_channels, target_latency=target_latency, minimise=minimise
            )
            plan = _folded(network, board, folding, target_fps)
    if write_folding is not None:
        api.write_folding(plan.design, write_folding)
    table = None
    if per_bitwidth or refold:
        with show.busy("every bit width"):
            table = api.per_bitwidth(plan.design, board, refold)
    data = api.report_data(plan, board, bitwidths=table)
    if not json:
        _print(data)
        for sentence in plan.padded.sentences if plan.padded else ():
            show.print_line(sentence)
    if out is not None:
        simulation = api.simulate(plan.design, board) if plan.fits else None
        params = params_of(plan.network(network), model)
        report = api.save(plan, out, params, board, simulation, table)
        if not json:
            show.print_line(f"report: {report}")
    if json:
        show.print_json(data)
    if not plan.fits or not plan.meets_target:
        raise typer.Exit(3)


def _check_alone(**others: object) -> None:
    """Raise BadInput for options of the search beside a folding that is given."""
    for name, value in others.items():
        if value:
            option = f"--{name.replace('_', '-')}"
            raise BadInput(
                f"{option} asks for a search and must be left out where --folding gives the folding",
                option=option,
            )


def _folded(
    network: IntGraph | Design, board: str | None, folding: Path, target_fps: float | None
) -> Plan:
    """The plan that a FINN file asks for; remarks on the file go to stderr."""
    from codesign import api

    folded = api.fold_as(network, folding, board, target_fps)
    for note in folded.notes:
        show.print_aside(f"note: {note}")
    return folded.plan


def _print(data: ReportData) -> None:
    from codesign.cli import tables

    tables.print_resources(data)
    if data.clock:
        show.print_line(data.clock)
    if data.bitwidths:
        tables.print_bitwidths(data)
    print_verdict(data)


def weights_of(words: str | None) -> dict[str, float] | None:
    """Weights of counts from "lut" or "lut=1,BRAM18=50"; raises BadInput."""
    if words is None:
        return None
    pairs = (word.partition("=") for word in words.split(","))
    return {kind.strip(): number(value or "1", "--minimise") for kind, _, value in pairs}


def print_verdict(data: ReportData) -> None:
    """The verdict; for a design that does not fit what takes the most and what would help."""
    from codesign.report.format import count, rate, resource_name, startup

    verdict = data.verdict
    show.print_line(verdict.sentence, "bold green" if verdict.fits else "bold red")
    for c in () if verdict.fits else verdict.contributors:
        show.print_line(f"  {c.part}: {count(c.amount)} {resource_name(c.resource)}")
    for lever in verdict.levers:
        show.print_line(f"  what would help: {lever}")
    if verdict.shortfall:
        show.print_line(verdict.shortfall, "bold red")
    if verdict.proof:
        show.print_line(verdict.proof)
    speed = f"{rate(data.fps.value)} frames/s ({data.fps.source})"
    show.print_line(f"{speed}; the slowest part is {data.bottleneck}")
    if data.startup:
        show.print_line(startup(data.startup))
