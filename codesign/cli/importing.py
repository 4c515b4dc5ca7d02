"""`codesign import`: a foreign ONNX file as exact integers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli import show
from codesign.cli.source import InputOffset, InputScale, InputType, read_model
from codesign.errors import BadInput, InvariantBroken

if TYPE_CHECKING:
    import numpy as np

    from codesign.cost.verdict import Verdict
    from codesign.graph.ir import IntGraph

TIES_SHOWN = 10
COLUMNS = ("Block", "Kind", "Size", "In", "Weights", "Out")


def import_(
    model: Annotated[Path, typer.Argument(help="A quantised ONNX (QONNX) file.")],
    input_type: InputType = None,
    input_scale: InputScale = None,
    input_offset: InputOffset = "0",
    check: Annotated[
        int,
        typer.Option(min=0, help="Compare with qonnx on this many frames (random, or --inputs)."),
    ] = 0,
    inputs: Annotated[
        Path | None, typer.Option(help="Real inputs for --check: .npy (frames, *ONNX shape).")
    ] = None,
    board: Annotated[
        str | None, typer.Option(help="Fold for this board and save with --out.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the Design; needs --board.")] = None,
    debug: Annotated[
        bool, typer.Option("--debug", help="Execute after every pass; name the first that changes.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Lower an ONNX file to exact integers, show its blocks, and prove it equal to qonnx.

    With --board and --out it is also folded and saved as a Design; exits with 3 when that does not
    fit.

    Example: codesign import model.onnx --input uint8 --input-scale 1/255 --check 100
    """
    if (out is None) != (board is None):
        raise BadInput(
            "--out and --board belong together: the Design that is written is for one board; "
            "`codesign boards` lists them"
        )
    if inputs is not None and not (check or debug):
        raise BadInput("--inputs are what --check compares on; say how many frames: --check 10")
    if model.suffix == ".json" or model.is_dir():
        raise BadInput(f"{model}: must be an ONNX file; `codesign estimate` takes a Design")
    graph = read_model(model, input_type, input_scale, input_offset)
    if debug:
        _trace(model, _real_inputs(graph, check or 4, inputs))
    compared = _check(model, graph, check, inputs) if check else None
    if not json:
        _print(graph, compared)
    verdict = None if out is None else _save(graph, board, out)
    if json:
        show.print_json(_facts(graph, compared, verdict))
    if verdict is not None and not verdict.fits:
        raise typer.Exit(3)


def _trace(path: Path, x: np.ndarray) -> None:
    """Print what every pass did to the outputs; on stderr, so that stdout stays JSON."""
    from codesign.graph.pass_trace import first_change, trace_passes

    with show.busy("executing after every pass"):
        results = trace_passes(path, x)
    for r in results:
        change = f"{r.changed_frames} of {len(x)} frames changed, by {r.largest_change:.3g} at most"
        show.print_aside(
            f"pass {r.name}: {r.nodes} nodes, {change if r.changed_frames else 'equal'}"
        )
    first = first_change(results)
    text = f"the first to change a result is {first.name}" if first else "no pass changes a result"
    show.print_aside(text)


def _check(path: Path, graph: IntGraph, frames: int, inputs: Path | None) -> str:
    """The comparison in words, ties with their proof, and finn-base's opinion where it is installed.

    Raises InvariantBroken when something is not explained.
    """
    from codesign import api
    from codesign.graph.second_opinion import compare_with_finn, finn_installed

    x = _real_inputs(graph, frames, inputs)
    with show.busy("comparing with qonnx"):
        result = api.check(path, graph, x)
    if not result.ok:
        raise InvariantBroken(f"{path}: integers differ from qonnx: {result.sentence}")
    lines = [f"check against qonnx: {result.sentence}", *result.ties(TIES_SHOWN)]
    if finn_installed():
        with show.busy("asking finn-base"):
            lines.append(f"second opinion: {compare_with_finn(path, x)}")
    return "\n".join(lines)


def _real_inputs(graph: IntGraph, frames: int, inputs: Path | None) -> np.ndarray:
    import numpy as np

    from codesign.verify.frames import real_frames

    host = graph.input
    if inputs is not None:
        return real_frames(inputs, host, frames).astype(np.float32)
    draw = np.random.default_rng(0).integers(host.qtype.levels, size=(frames, *host.onnx_shape))
    q = host.qtype.min + draw * host.qtype.step
    return (q * host.scale + host.offset).astype(np.float32)


def _save(graph: IntGraph, board: str | None, out: Path) -> Verdict:
    """Write the Design and its report; the verdict goes to stderr, so that stdout stays JSON."""
    from codesign import api

    with show.busy("folding, FIFOs, estimate"):
        plan = api.estimate(graph, board)
        simulation = api.simulate(plan.design, board) if plan.fits else None
    report = api.save(plan, out, graph.params, board, simulation)
    verdict = plan.estimate.verdict
    show.print_aside(f"{verdict.headline}\nreport: {report}")
    return verdict


def _facts(graph: IntGraph, compared: str | None, verdict: Verdict | None) -> dict[str, object]:
    from codesign.report.convert import input_part, output_part, size_of

    blocks = [
        {"name": n.block.name, "kind": type(n.block).__name__, "size": size_of(n.block)}
        for n in graph.nodes
    ]
    return {
        "name": graph.name,
        "input": input_part(graph.input),
        "output": output_part(graph.output),
        "blocks": blocks,
        "notes": graph.notes,
        "check": compared,
        "verdict": verdict,
    }


def _print(graph: IntGraph, compared: str | None) -> None:
    from codesign.report.convert import size_of
    from codesign.report.format import shape

    rows = [
        (
            n.block.name,
            type(n.block).__name__,
            size_of(n.block),
            str(n.block.inputs()[0].qtype),
            str(getattr(n.block, "wtype", "")),
            str(n.block.outputs()[0].qtype),
        )
        for n in graph.nodes
    ]
    show.print_table(graph.name, COLUMNS, rows, left=6)
    host, out = graph.input, graph.output
    meaning = f"real value = {host.scale:.8g} q + {host.offset:.8g}"
    show.print_line(f"input {host.name}: {host.qtype}, {shape(host.shape)}; {meaning}")
    show.print_line(f"output {out.name}: {out.qtype}, {shape(out.shape)}, {out.meaning}")
    for note in graph.notes:
        show.print_line(f"note: {note}")
    if compared:
        show.print_line(compared)
