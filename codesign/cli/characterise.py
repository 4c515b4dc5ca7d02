"""`codesign characterise`: synthesis of drawn blocks, the data behind the estimates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli import show
from codesign.errors import BadInput

if TYPE_CHECKING:
    from codesign.blocks.base import Params
    from codesign.characterise.networks import Network
    from codesign.characterise.parts import Part
    from codesign.design import Design


def characterise(
    family: Annotated[str, typer.Option(help="Device family: xc7, xcup, ecp5 or ice40.")] = "xc7",
    kinds: Annotated[
        str, typer.Option(help="Kinds of block, by comma: MatVec,Window (default: all).")
    ] = "",
    rows: Annotated[int, typer.Option(min=1, help="Configurations of each kind.")] = 40,
    jobs: Annotated[int, typer.Option(min=1, help="Runs of Yosys at a time.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder (default: the package's data).")] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for one configuration.")] = 300,
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Make rows again whose hardware has changed.")
    ] = False,
    native: Annotated[bool, typer.Option("--native", help="The yosys on the path.")] = False,
    place: Annotated[
        bool, typer.Option("--place", help="Instead: their clocks on ECP5, placed and routed.")
    ] = False,
    products: Annotated[
        bool, typer.Option("--products", help="Instead: the LUTs of single products, as a table.")
    ] = False,
    network: Annotated[
        Path | None, typer.Option(help="Instead: a design's folder, synthesised whole.")
    ] = None,
    by_module: Annotated[
        bool,
        typer.Option("--by-module", help="With --network: block by block, and what joins them."),
    ] = False,
) -> None:
    """Synthesise configurations drawn from a stated distribution and add them to the data set.

    A run that is stopped loses the configurations in flight; the next one goes on.

    Example: codesign characterise --family xc7 --kinds Threshold,Pad --rows 40
    """
    from codesign.characterise.draws import MAKERS
    from codesign.characterise.rows import DATA, OK
    from codesign.characterise.run import Plan, missing
    from codesign.characterise.run import characterise as make

    if products:
        _products(family, out)
        return
    if network is not None:
        _whole(network, out or DATA, native, by_module, timeout)
        return
    if by_module:
        raise BadInput(
            "--by-module is a way to synthesise a network: name it with --network FOLDER"
        )
    names = tuple(kinds.split(",")) if kinds else tuple(MAKERS)
    if place:
        _clocks(family, names, rows, out or DATA, timeout)
        return
    plan = Plan(family, names, rows, out or DATA, refresh, timeout, native)
    total = len(missing(plan))
    show.print_line(f"{total} configurations to synthesise for {family}")
    done = failed = 0
    for batch in make(plan, jobs):
        done += len(batch)
        failed += sum(row.state != OK for row in batch)
        names = ", ".join(f"{row.kind} {row.number}" for row in batch)
        show.print_line(f"{done} of {total}, {failed} failed: {names}")
    show.print_line(f"{plan.folder / family}: {done} new rows, {failed} of them failed")


def _whole(folder: Path, data: Path, native: bool, by_module: bool, timeout_s: float) -> None:
    """Synthesise the design in `folder`, flat or block by block; print it beside its estimate."""
    from codesign.characterise.networks import compare, measure
    from codesign.design import load_design, load_params

    design, params = load_design(folder), load_params(folder)
    if by_module:
        network = _by_module(folder.name, design, params, data, native, timeout_s)
    else:
        network = measure(folder.name, design, params, data, native, timeout_s)
    line = compare(network)
    for count, value in line.measured.items():
        show.print_line(f"{count}: {value:.0f} measured, {line.predicted[count]:.0f} predicted")
    show.print_line(f"{line.tool}, {line.seconds:.0f} s")


def _by_module(
    name: str, design: Design, params: Params, data: Path, native: bool, timeout_s: float
) -> Network:
    from codesign.characterise.networks import measure_by_module, network_way
    from codesign.characterise.parts import pieces

    way = network_way(design, native, timeout_s)
    waiting = pieces(design, params, way.family)
    show.print_line(f"{len(design.blocks)} blocks, {len(waiting)} modules to synthesise")

    def done(part: Part) -> None:
        counts = part.synthesis.counts
        names = ", ".join(part.blocks)
        show.print_line(
            f"{names}: LUT {counts.lut}, FF {counts.ff}, {part.synthesis.seconds:.0f} s"
        )

    return measure_by_module(name, design, waiting, way, data, done)


def _clocks(family: str, kinds: tuple[str, ...], rows: int, data: Path, timeout_s: float) -> None:
    from codesign.characterise.clocks import FILE, measure_clocks
    from codesign.tools.nextpnr import check_family, find_nextpnr

    check_family(family)
    find_nextpnr()
    for row in measure_clocks(kinds, rows, data, timeout_s):
        reached = f"{row.clock_hz / 1e6:.0f} MHz" if row.clock_hz else "failed"
        estimate = (
            f"{row.estimate_hz / 1e6:.0f} MHz by logic depth" if row.logic_ps else "no estimate"
        )
        show.print_line(f"{row.kind} {row.number}: {reached}, {estimate}, {row.seconds:.0f} s")
    show.print_line(str(data / FILE))


def _products(family: str, out: Path | None) -> None:
    """Measure single products; the table goes to `out` or into the package."""
    from codesign.characterise.products import measure_products
    from codesign.cost.family import load_family
    from codesign.cost.products import PRODUCTS

    load_family(family)
    table = measure_products(family, out or PRODUCTS)
    show.print_line(f"{(out or PRODUCTS) / family}.json: products by {table.tool}")
