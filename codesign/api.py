"""The whole flow as functions, for notebooks and scripts; the command line calls the same ones.

    from codesign import api

    graph = api.load("model.onnx")                    # exact integers
    plan = api.estimate(graph, "pynq-z2")             # folded for the board, with its verdict
    simulation = api.simulate(plan.design)            # interval, latency, frames per second
    api.save(plan, "runs/model", graph.params, simulation=simulation)

A board is a name (`codesign boards`), the path of a TOML file, or a `Board`. Expected failures are
raised as `codesign.errors.CodesignError`; a design that does not fit is a result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from codesign import design_rules
from codesign.board import Board, all_boards, load_board
from codesign.design import Design, load_design, load_params, save_design
from codesign.errors import BadInput
from codesign.types import QType, qtype_of

if TYPE_CHECKING:
    from codesign.finn.apply import Folded
    from codesign.graph.check import CheckReport
    from codesign.graph.ir import IntGraph
    from codesign.report.data import ReportData
    from codesign.search.fit import BoardFit
    from codesign.search.plan import Plan
    from codesign.search.whatif import BitwidthTable
    from codesign.sim.simulate import Simulation
    from codesign.train.export import ExportResult
    from codesign.train.pipeline import RunResult
    from codesign.verify.verify import Verification

BoardLike = str | Path | Board


def boards() -> list[Board]:
    """Every shipped board, sorted by name."""
    return all_boards()


def board(name: BoardLike) -> Board:
    """The board `name`; raises BadInput with the nearest names."""
    return name if isinstance(name, Board) else load_board(name)


def run(
    recipe: str | Path,
    out: str | Path,
    resume: bool = False,
    seed: int | None = None,
    data_dir: str | Path | None = None,
    quiet: bool = True,
) -> RunResult:
    """Do the whole job of a recipe (a file or the name of a shipped one) into the folder `out`.

    Raises BadInput, UnsupportedLayer, Diverged, and Interrupted on Ctrl-C.
    """
    from codesign.train.pipeline import run_recipe

    return run_recipe(recipe, Path(out), resume, quiet, _path(data_dir), seed)


def train(
    recipe: str | Path,
    out: str | Path,
    resume: bool = False,
    seed: int | None = None,
    data_dir: str | Path | None = None,
    quiet: bool = True,
) -> RunResult:
    """Only train: `out` holds config.json and checkpoint.pt, which `export` takes.

    Raises BadInput, Diverged, and Interrupted on Ctrl-C.
    """
    from codesign.train.pipeline import run_recipe

    return run_recipe(recipe, Path(out), resume, quiet, _path(data_dir), seed, steps=("train",))


def export(
    folder: str | Path, out: str | Path | None = None, data_dir: str | Path | None = None
) -> ExportResult:
    """Write model.onnx (QONNX) and golden pairs of the checkpoint in `folder` to `out`.

    `out` is `folder` itself unless given. Raises BadInput.
    """
    from codesign.train.reload import trained_model
    from codesign.train.stages import export_model

    model, data = trained_model(Path(folder), _path(data_dir))
    return export_model(model, data, Path(out or folder))


def load(
    path: str | Path,
    input_qtype: QType | str | None = None,
    input_scale: float | None = None,
    input_offset: float = 0.0,
) -> IntGraph | Design:
    """An ONNX file as an exact integer graph, or the Design that a folder holds.

    The host sends integers q of `input_qtype` ("uint8", "int4", ...) that stand for
    input_scale*q + input_offset; without it the file's own annotation or first quantiser counts.
    Raises BadInput, UnsupportedLayer, and InvariantBroken for a Design that breaks its own rules.
    """
    path = Path(path)
    if input_scale is not None and not 0 < input_scale < inf:
        raise BadInput(f"the input scale must be over 0 and finite, not {input_scale}")
    if path.suffix == ".json" or path.is_dir():
        design = load_design(path)
        design_rules.verify(design)
        return design
    from codesign.graph.load import import_model

    qtype = qtype_of(input_qtype) if isinstance(input_qtype, str) else input_qtype
    return import_model(path, qtype, input_scale, input_offset)


def check(path: str | Path, graph: IntGraph, x: np.ndarray) -> CheckReport:
    """Compare integer execution with qonnx's on real inputs `x` (frames, *onnx_shape).

    Each integer that differs is listed and proven to be a float32 rounding, or counted as wrong.
    """
    from codesign.graph.check import check_against_qonnx

    return check_against_qonnx(path, graph, x)


def execute(graph: IntGraph, x: np.ndarray) -> np.ndarray:
    """Outputs (frames, elements) in exact integers for real inputs `x` (frames, *onnx_shape).

    Each input becomes the nearest integer of the host's type. Raises BadInput for a wrong shape.
    """
    from codesign.graph.execute import execute as run_integers
    from codesign.graph.execute import from_real, to_stream

    return run_integers(graph, to_stream(graph.input, from_real(graph.input, x)))


def estimate(
    model: IntGraph | Design,
    on: BoardLike | None = None,
    target_fps: float | None = None,
    target_latency_s: float | None = None,
    minimise: Mapping[str, float] | None = None,
) -> Plan:
    """Resources, frame rate and verdict of `model` on the board `on`.

    A Design keeps its folding on its own board (the default) when no target is given; anything
    else is folded and gets its FIFOs here: for the target, or for the largest rate that fits.
    `minimise` weighs counts ({"lut": 1}); the default is the sum of all shares of the budget.
    Raises BadInput for a target that is not over 0, or a count that the board does not have.
    """
    from codesign.cost.estimate import estimate as estimate_design
    from codesign.search.plan import Plan, plan

    _check_target("target_fps", target_fps)
    _check_target("target_latency_s", target_latency_s)
    if isinstance(model, Design):
        chosen = board(on or model.board)
        if chosen.name == model.board and target_fps is None and target_latency_s is None:
            return Plan(model, estimate_design(model, chosen))
        model, on = _graph(model), chosen
    return plan(model, board(_required(on)), target_fps, target_latency_s, minimise=minimise)


def fit(
    model: IntGraph | Design,
    on: Sequence[BoardLike] | None = None,
    target_fps: float | None = None,
    target_latency_s: float | None = None,
) -> list[BoardFit]:
    """The best design of `model` on each of the boards `on` (all shipped ones), one row a board.

    Raises BadInput for an unknown board or a target that is not over 0.
    """
    from codesign.search.fit import fit as fit_boards

    _check_target("target_fps", target_fps)
    _check_target("target_latency_s", target_latency_s)
    chosen = boards() if on is None else [board(name) for name in on]
    graph = _graph(model) if isinstance(model, Design) else model
    return list(fit_boards(graph, chosen, target_fps, target_latency_s))


def fold_as(model: IntGraph | Design, path: str | Path, on: BoardLike | None = None) -> Folded:
    """`model` folded as the FINN folding configuration in the JSON file `path` says.

    Raises BadInput for a file that is not of this network, IllegalFold with FINN's layer.
    """
    from codesign.finn.apply import fold_as as apply

    if isinstance(model, Design):
        on, model = on or model.board, _graph(model)
    return apply(Path(path), model, board(_required(on)))


def write_folding(design: Design, path: str | Path) -> None:
    """Write the folding of `design` as a FINN folding configuration (JSON)."""
    from codesign.finn.write import write_folding as write

    write(design, Path(path))


def simulate(
    design: Design | IntGraph, on: BoardLike | None = None, frames: int | None = None
) -> Simulation:
    """Exact cycles of a Design on its own board (or `on`); a graph is folded first.

    Raises Deadlock with its cause.
    """
    from codesign.sim.simulate import simulate as run_machine

    if not isinstance(design, Design) or (on is not None and board(on).name != design.board):
        design = estimate(design, on).design
    return run_machine(design, board(on or design.board), frames)


def build(folder: str | Path, out: str | Path) -> tuple[str, ...]:
    """Write the Design in `folder` as SystemVerilog to `out`; return the names of the files.

    Raises BadInput, InvariantBroken, IllegalFold, and Deadlock before anything is written.
    """
    from codesign.rtl.build import build as write_hardware

    design = load_design(Path(folder))
    return write_hardware(design, load_params(Path(folder)), board(design.board), Path(out))


def verify(
    folder: str | Path,
    frames: int | None = None,
    inputs: str | Path | None = None,
    seed: int = 0,
    out: str | Path | None = None,
) -> Verification:
    """Run the hardware of the Design in `folder` under Verilator and compare it with the model.

    Frames are the real ones in the file `inputs`, else the golden ones beside the design, else
    random. `out` is the folder to work in; a temporary one is kept only on failure. Raises
    RtlMismatch with the first place that differs, ToolMissing, and what `build` raises.
    """
    from codesign.verify.verify import verify_folder

    return verify_folder(Path(folder), frames, _path(inputs), seed, _path(out))


def per_bitwidth(
    model: IntGraph | Design, on: BoardLike | None = None, refold: bool = True
) -> BitwidthTable:
    """Resources and frame rate at every uniform width, and per layer with the others as they are.

    A Design on its own board keeps its folding; with `refold` every uniform width is also folded
    anew for the most frames per second that fit.
    """
    from codesign.search.whatif import per_bitwidth as table_of

    if isinstance(model, Design):
        chosen = board(on or model.board)
        kept = model if chosen.name == model.board else None
        return table_of(_graph(model), chosen, kept, refold)
    return table_of(model, board(_required(on)), refold=refold)


def save(
    plan: Plan,
    folder: str | Path,
    params: Mapping[str, np.ndarray],
    on: BoardLike | None = None,
    simulation: Simulation | None = None,
    bitwidths: BitwidthTable | None = None,
) -> Path:
    """Write design.json, params.npz, report.json and report.html to `folder`; return the last.

    `params` are the graph's (`graph.params`). The report tells versions, commit and command.
    """
    from codesign.report.data import save_report_data
    from codesign.report.render import write_report

    save_design(plan.design, params, Path(folder))
    data = report_data(plan, on, simulation, bitwidths)
    save_report_data(data, Path(folder))
    return write_report(data, Path(folder))


def report_data(
    plan: Plan,
    on: BoardLike | None = None,
    simulation: Simulation | None = None,
    bitwidths: BitwidthTable | None = None,
) -> ReportData:
    """All numbers of a plan as one frozen, JSON-serialisable record, with versions and command."""
    from codesign.provenance import provenance
    from codesign.report.convert import design_report, provenance_part, shortfall

    chosen, origin = board(on or plan.design.board), provenance()
    data = design_report(plan.design, chosen, plan.estimate, simulation, bitwidths)
    words = {"shortfall": shortfall(plan), "proof": plan.proven}
    return msgspec.structs.replace(
        data,
        verdict=msgspec.structs.replace(data.verdict, **words),
        command=str(origin["command"]),
        provenance=provenance_part(origin),
    )


def report(folder: str | Path) -> Path:
    """Draw report.html of a run folder, or of a folder that holds a design only; return its path.

    Raises BadInput when the folder holds neither.
    """
    from codesign.report.data import FILE_NAME, load_report_data
    from codesign.report.render import write_report

    folder = Path(folder)
    known = (folder / FILE_NAME).exists()
    data = load_report_data(folder) if known else _report_of_design(folder)
    return write_report(data, folder)


def _report_of_design(folder: Path) -> ReportData:
    if not (folder / "design.json").exists():
        raise BadInput(
            f"{folder}: holds neither report.json nor design.json; give the folder that "
            "`codesign run` or `codesign estimate --out` wrote",
            path=str(folder),
        )
    plan = estimate(load_design(folder))
    return report_data(plan, simulation=simulate(plan.design))


def _graph(design: Design) -> IntGraph:
    """The network of a design, ready to be folded anew; without parameters."""
    from codesign.graph.bare import without_plumbing
    from codesign.graph.execute import graph_of

    return without_plumbing(graph_of(design, {}))


def _check_target(name: str, value: float | None) -> None:
    if value is not None and not 0 < value < inf:
        raise BadInput(f"{name} must be over 0 and finite, not {value}", key=name, found=value)


def _required(on: BoardLike | None) -> BoardLike:
    if on is None:
        raise BadInput("a board is needed to fold a network; `codesign boards` lists them")
    return on


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


__all__ = [
    "board",
    "boards",
    "build",
    "check",
    "estimate",
    "execute",
    "export",
    "fit",
    "fold_as",
    "load",
    "load_params",
    "per_bitwidth",
    "report",
    "report_data",
    "run",
    "save",
    "simulate",
    "train",
    "verify",
    "write_folding",
]
