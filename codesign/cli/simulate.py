"""`codesign simulate`: exact cycles of a design."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli import show
from codesign.cli.estimate import Board
from codesign.cli.source import InputOffset, InputScale, InputType, params_of, read_model

if TYPE_CHECKING:
    from codesign.report.data import ReportData


def simulate(
    model: Annotated[Path, typer.Argument(help="A design.json, its folder, or an ONNX file.")],
    board: Board = None,
    frames: Annotated[
        int | None,
        typer.Option(min=1, help="Frames to run; default: until the steady state is proven."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for Design and report.")] = None,
    input_type: InputType = None,
    input_scale: InputScale = None,
    input_offset: InputOffset = "0",
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a design cycle by cycle: interval, latency, frames per second, stalls, FIFO marks.

    An ONNX file is folded for --board first. Exits with 4 on a deadlock, whose cause it names.

    Example: codesign simulate runs/digits
    """
    from codesign import api

    network = read_model(model, input_type, input_scale, input_offset)
    with show.busy("simulating"):
        plan = api.estimate(network, board)
        simulation = api.simulate(plan.design, board, frames)
    data = api.report_data(plan, board, simulation)
    if not json:
        _print(data)
    if out is not None:
        report = api.save(plan, out, params_of(network, model), board, simulation)
        if not json:
            show.print_line(f"report: {report}")
    if json:
        show.print_json(
            {
                "title": data.title,
                "simulation": data.simulation,
                "startup": data.startup,
                "streams": data.streams,
            }
        )


def _print(data: ReportData) -> None:
    from codesign.cli.tables import print_stages
    from codesign.report.format import count, megahertz, rate, seconds, startup

    s = data.simulation
    print_stages(data)
    show.print_line(
        f"interval {count(s.interval_cycles)} cycles, latency {count(s.latency_cycles)}"
    )
    speed = f"{rate(s.fps)} frames/s, latency {seconds(s.latency_cycles / s.clock_hz)}"
    show.print_line(f"{speed} at {megahertz(s.clock_hz)} (simulated)", "bold")
    if data.startup:
        show.print_line(startup(data.startup))
    if s.steady == "bounded":
        show.print_line(
            "the steady state is not proven: this is the last frame simulated", "yellow"
        )
    if s.io_bound:
        show.print_line("the transfer between host and accelerator sets the frame rate", "yellow")
    if not data.verdict.fits:
        show.print_line(data.verdict.sentence, "bold red")
