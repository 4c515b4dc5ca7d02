"""What a design occupies and how fast it is, by formula; and whether it fits its board."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from codesign.blocks.base import Block
from codesign.board import Board
from codesign.cost.adapters import AXIS_IN, AXIS_OUT, axis_in_terms, axis_out_terms
from codesign.cost.family import Family, load_family
from codesign.cost.fifo import KIND as FIFO
from codesign.cost.fifo import fitted_fifo_terms
from codesign.cost.levers import levers
from codesign.cost.model import ANALYTIC, Widths, add_widths, bounds, source, widths
from codesign.cost.parts import block_widths, fitted_terms, stream_widths
from codesign.cost.resources import CostTerm, Resources, total
from codesign.cost.verdict import Verdict, judge
from codesign.design import HOST, Design
from codesign.design_rules import check_memories
from codesign.sim.host import gap_cycles
from codesign.sim.startup import startup_cycles


class PartEstimate(msgspec.Struct, frozen=True):
    """One block, stream or adapter: its terms and their sum, with bounds that hold nine times in ten.

    Analytic parts have no bounds: `low` and `high` are the sum itself.
    """

    name: str
    kind: str
    terms: tuple[CostTerm, ...]
    resources: Resources
    low: Resources
    high: Resources
    source: str = ANALYTIC


class DesignEstimate(msgspec.Struct, frozen=True):
    """Resources by part, the verdict, and the steady interval in cycles (analytic).

    `low` and `high` bound `total` nine times in ten, as far as its parts are fitted; `source` says
    how many are. `startup_cycles` fill memories without initial contents before the first frame.
    `bottleneck` is the block with the longest interval, or "host" when transfer takes longer.
    """

    parts: tuple[PartEstimate, ...]
    total: Resources
    budget: Resources
    verdict: Verdict
    interval_cycles: int
    fps: float
    bottleneck: str
    low: Resources
    high: Resources
    startup_cycles: int = 0
    source: str = ANALYTIC


def estimate(design: Design, board: Board) -> DesignEstimate:
    """Estimate `design` on `board`: the sum over blocks, FIFOs and AXI4-Stream adapters, against the
    board's budget.

    A design that does not fit is a result, with the gap, its largest parts and what would help.
    Raises IllegalFold for a memory that the family lacks.
    """
    check_memories(design, board)
    family = load_family(board.family)
    parts = _parts(design, family)
    demand, budget = total(p.resources for p in parts), board.budget()
    verdict = judge(board.name, demand, budget, {p.name: p.resources for p in parts})
    if not verdict.fits:
        help_ = levers(design, family, board, verdict)
        verdict = msgspec.structs.replace(verdict, levers=help_)
    interval, bottleneck = interval_of(design, board)
    fps = design.clock_hz / interval
    return DesignEstimate(
        parts,
        demand,
        budget,
        verdict,
        interval,
        fps,
        bottleneck,
        *bounds(demand, spread(design, family)),
        startup_cycles(design, board),
        _source(parts),
    )


def interval_of(design: Design, board: Board) -> tuple[int, str]:
    """(cycles per frame, name) of the slowest block, or of the host's transfer; a lower bound of
    the simulated interval, equal to it when every FIFO is deep enough."""
    intervals = {block.name: block_interval_cycles(block) for block in design.blocks}
    gaps = gap_cycles(design, board)
    ends = ("source", "target")
    for end, gap in zip(ends, gaps, strict=True):
        (stream,) = (s for s in design.streams if getattr(s, end) == HOST)
        intervals[HOST] = max(intervals.get(HOST, 0), stream.beats_per_frame * gap)
    slowest = max(intervals, key=intervals.__getitem__)
    return intervals[slowest], slowest


@lru_cache(maxsize=1 << 17)
def block_interval_cycles(block: Block) -> int:
    """Cycles per frame of `block` alone."""
    return block.program().interval_cycles


def spread(design: Design, family: Family) -> dict[str, Widths]:
    """How far the parts of `design` may lie from their central values, added up by kind."""
    found: dict[str, Widths] = {}
    for block in design.blocks:
        add_widths(found, *block_widths(block, family.name))
    for stream in design.streams:
        add_widths(found, *stream_widths(stream, family))
    return found


def _parts(design: Design, family: Family) -> tuple[PartEstimate, ...]:
    blocks = [
        _part(b.name, "block", fitted_terms(b, family), type(b).__name__, family)
        for b in design.blocks
    ]
    streams = [
        _part(s.name, "stream", fitted_fifo_terms(family, s.depth, s.bits, s.style), FIFO, family)
        for s in design.streams
    ]
    (out,) = (s for s in design.streams if s.target == HOST)
    adapters = (
        (AXIS_IN, axis_in_terms()),
        (AXIS_OUT, axis_out_terms(family, out.beats_per_frame)),
    )
    # No data set has them as a kind: they stay analytic.
    ends = [_part(name, "adapter", terms, name, family) for name, terms in adapters]
    return (*blocks, *streams, *ends)


def _part(
    name: str, what: str, terms: tuple[CostTerm, ...], kind: str, family: Family
) -> PartEstimate:
    centre = total(term.resources for term in terms)
    low, high = bounds(centre, {kind: widths(centre, kind, family.name)})
    return PartEstimate(name, what, terms, centre, low, high, source(kind, family.name))


def _source(parts: tuple[PartEstimate, ...]) -> str:
    """Source of the total: analytic, fitted, or how many parts are fitted."""
    fitted = sum(part.source != ANALYTIC for part in parts)
    if fitted == 0:
        return ANALYTIC
    return "fitted" if fitted == len(parts) else f"fitted, {len(parts) - fitted} parts analytic"
