"""One network on several boards: what fits where, how fast, and what would lift the limit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from time import perf_counter

import msgspec

from codesign.board import Board
from codesign.cost.verdict import scarcest, word
from codesign.design import HOST
from codesign.graph.ir import IntGraph
from codesign.search.padded_plan import plan_padded
from codesign.search.plan import Plan, plan
from codesign.sim.host import gap_cycles


class BoardFit(msgspec.Struct, frozen=True, kw_only=True):
    """The best design on one board; `fps` is 0 where none fits (or reaches the target).

    `used` maps each count the board has to its share of the budget, in the design found or in the
    one that lacks least. `bottleneck` says what limits the rate, or the fit; `lift` what would help.
    `padded` maps layers to the channel counts that they were padded to.
    """

    board: str
    fits: bool
    fps: float
    fps_bound: float
    optimal: bool
    used: dict[str, float]
    fullest: str
    bottleneck: str
    lift: str
    proof: str
    seconds: float
    padded: dict[str, int] = {}


def fit(
    graph: IntGraph,
    boards: Iterable[Board],
    target_fps: float | None = None,
    target_latency_s: float | None = None,
    pad_channels: bool = False,
) -> Iterator[BoardFit]:
    """The plan of `graph` on each board, as one row each, in the order of `boards`."""
    make = plan_padded if pad_channels else plan
    for board in boards:
        start = perf_counter()
        found = make(graph, board, target_fps, target_latency_s, advise=False)
        yield _row(found, board, perf_counter() - start)


def _row(found: Plan, board: Board, seconds: float) -> BoardFit:
    demand, budget = found.estimate.total.flat(), board.budget().flat()
    used = {kind: demand.get(kind, 0.0) / n for kind, n in budget.items() if n}
    reached = found.fits and found.meets_target
    fps = found.estimate.fps if reached else 0.0
    return BoardFit(
        board=board.name,
        fits=reached,
        fps=fps,
        fps_bound=found.proof.fps_bound,
        optimal=found.proof.optimal(fps),
        used=used,
        fullest=scarcest(demand, budget)[0],
        bottleneck=_bottleneck(found, board),
        lift=_lift(found, board),
        proof=found.proven,
        seconds=seconds,
        padded=found.padded.sizes if found.padded else {},
    )


def _bottleneck(found: Plan, board: Board) -> str:
    """What limits the rate: the host, the fastest form of a block, or counts of the board."""
    if not found.fits:
        gaps = found.estimate.verdict.gaps
        kinds = found.proof.scarce or tuple(gaps)
        return " and ".join(map(word, kinds))
    slowest = found.estimate.bottleneck
    if _host_bound(found, board):
        return "host transfer"
    if found.proof.structural:
        return f"{slowest}, which no folding makes faster"
    if found.targeted or not found.proof.scarce:
        return slowest
    return f"{slowest} and {' and '.join(map(word, found.proof.scarce))}"


def _host_bound(found: Plan, board: Board) -> bool:
    """Whether the host's transfer takes as long as the slowest block."""
    design = found.design
    ends = zip(("source", "target"), gap_cycles(design, board), strict=True)
    cycles = (
        stream.beats_per_frame * gap
        for end, gap in ends
        for stream in design.streams
        if getattr(stream, end) == HOST
    )
    return max(cycles) >= found.estimate.interval_cycles


def _lift(found: Plan, board: Board) -> str:
    """What would help, as far as the proof or the verdict says it."""
    proof = found.proof
    if not found.fits or not found.meets_target:
        best = f"a target of {found.best_fps:,.0f} frames/s fits" if found.best_fps else ""
        levers = [] if found.fits else list(found.estimate.verdict.levers)[:1]
        lack = [f"{proof.lacking} at least"] if proof.scarce else []
        return "; ".join(filter(None, (best, *lack, *levers)))
    if found.targeted:
        return ""
    if _host_bound(found, board):
        return f"more than {board.stream_bits} bits a beat, or faster host memory"
    if proof.structural:
        return "a higher clock"
    if not proof.scarce:
        return ""
    return f"{proof.lacking} at least, for {proof.refuted_fps:,.0f} frames/s"
