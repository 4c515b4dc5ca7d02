"""Designs: folded for boards, estimated, simulated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from codesign.api.common import (
    BoardLike,
    board,
    boards,
    check_frames,
    check_target,
    network_of_design,
    required,
)
from codesign.design import Design
from codesign.errors import BadInput

if TYPE_CHECKING:
    from codesign.finn.apply import Folded
    from codesign.graph.ir import IntGraph
    from codesign.search.fit import BoardFit
    from codesign.search.pareto import Point
    from codesign.search.plan import Plan
    from codesign.search.whatif import BitwidthTable
    from codesign.sim.simulate import Simulation


def estimate(
    model: IntGraph | Design,
    on: BoardLike | None = None,
    target_fps: float | None = None,
    target_latency_s: float | None = None,
    minimise: Mapping[str, float] | None = None,
    pad_channels: bool = False,
) -> Plan:
    """Resources, frame rate and verdict of `model` on the board `on`.

    A Design keeps its folding on its own board (the default) when neither a target nor `minimise` is
    given; anything else is folded and gets its FIFOs here: for the target, or for the largest rate
    that fits.
    `minimise` weighs counts ({"lut": 1}); the default is the sum of all shares of the budget. With
    `pad_channels` channel counts of layers may grow for a better folding; the parameters of the
    design are then those of `Plan.network`. Raises BadInput for a target that is not over 0, a count
    that the board does not have, or a Design to be padded.
    """
    from codesign.cost.estimate import estimate as estimate_design
    from codesign.search.padded_plan import plan_padded
    from codesign.search.plan import Plan, plan

    check_target("target_fps", target_fps)
    check_target("target_latency_s", target_latency_s)
    if isinstance(model, Design):
        _check_unpadded(model, pad_channels)
        chosen = board(on or model.board)
        asked = (target_fps, target_latency_s, minimise) != (None, None, None)
        if chosen.name == model.board and not asked:
            return Plan(model, estimate_design(model, chosen))
        model, on = network_of_design(model), chosen
    make = plan_padded if pad_channels else plan
    return make(model, board(required(on)), target_fps, target_latency_s, minimise=minimise)


def _check_unpadded(design: Design, pad_channels: bool) -> None:
    if pad_channels:
        raise BadInput(
            f"design {design.name}: channels are padded in a network with its parameters, and a design "
            "holds none; give the ONNX file",
            design=design.name,
        )


def simulate(
    design: Design | IntGraph, on: BoardLike | None = None, frames: int | None = None
) -> Simulation:
    """Exact cycles of a Design on its own board (or `on`); a graph is folded first.

    Raises Deadlock with its cause, BadInput for less than 1 frame.
    """
    from codesign.sim.simulate import simulate as run_machine

    check_frames(frames)
    if not isinstance(design, Design) or (on is not None and board(on).name != design.board):
        design = estimate(design, on).design
    return run_machine(design, board(on or design.board), frames)


def per_bitwidth(
    model: IntGraph | Design, on: BoardLike | None = None, refold: bool = False
) -> BitwidthTable:
    """Resources and frame rate at every uniform width, and per layer with the others as they are.

    A Design on its own board keeps its folding. With `refold` every uniform width is also folded
    anew for the most frames per second that fit, which is a search for each.
    """
    from codesign.search.whatif import per_bitwidth as table_of

    if isinstance(model, Design):
        chosen = board(on or model.board)
        kept = model if chosen.name == model.board else None
        return table_of(network_of_design(model), chosen, kept, refold)
    return table_of(model, board(required(on)), refold=refold)


def fit(
    model: IntGraph | Design,
    on: Sequence[BoardLike] | None = None,
    target_fps: float | None = None,
    target_latency_s: float | None = None,
    pad_channels: bool = False,
) -> list[BoardFit]:
    """The best design of `model` on each of the boards `on` (all shipped ones), one row a board.

    With `pad_channels` channel counts of layers may grow for a better folding.

    Raises BadInput for an unknown board or a target that is not over 0.
    """
    from codesign.search.fit import fit as fit_boards

    check_target("target_fps", target_fps)
    check_target("target_latency_s", target_latency_s)
    chosen = boards() if on is None else [board(name) for name in on]
    graph = network_of_design(model) if isinstance(model, Design) else model
    return list(fit_boards(graph, chosen, target_fps, target_latency_s, pad_channels))


def pareto(
    model: IntGraph | Design, on: BoardLike | None = None, rates: int = 6, memories: int = 4
) -> tuple[Point, ...]:
    """Points of the front of frames per second, LUTs and block RAMs, the fastest first.

    At most `rates` frame rates and `memories` numbers of block RAMs for each; empty where nothing
    fits.
    """
    from codesign.search.pareto import pareto as front

    if isinstance(model, Design):
        on, model = on or model.board, network_of_design(model)
    return front(model, board(required(on)), rates, memories)


def fold_as(
    model: IntGraph | Design,
    path: str | Path,
    on: BoardLike | None = None,
    target_fps: float | None = None,
) -> Folded:
    """`model` folded as the FINN folding configuration in the JSON file `path` says.

    The plan tells whether that reaches `target_fps`. Raises BadInput for a file that is not of this network, IllegalFold with FINN's layer.
    """
    from codesign.finn.apply import fold_as as apply

    if isinstance(model, Design):
        on, model = on or model.board, network_of_design(model)
    check_target("target_fps", target_fps)
    return apply(Path(path), model, board(required(on)), target_fps)


def write_folding(design: Design, path: str | Path) -> None:
    """Write the folding of `design` as a FINN folding configuration (JSON)."""
    from codesign.finn.write import write_folding as write

    write(design, Path(path))
