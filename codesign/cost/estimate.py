"""What a design occupies and how fast it is, by formula; and whether it fits its board."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from codesign.blocks.base import Block
from codesign.board import Board
from codesign.cost.family import Family, load_family
from codesign.cost.fifo import fifo_terms
from codesign.cost.levers import levers
from codesign.cost.resources import CostTerm, Resources, total
from codesign.cost.verdict import Verdict, judge
from codesign.design import HOST, Design
from codesign.design_rules import check_memories
from codesign.sim.host import gap_cycles
from codesign.sim.startup import startup_cycles


class PartEstimate(msgspec.Struct, frozen=True):
    """One block or stream: its terms and their sum."""

    name: str
    kind: str
    terms: tuple[CostTerm, ...]
    resources: Resources
    source: str = "analytic"


class DesignEstimate(msgspec.Struct, frozen=True):
    """Resources by part, the verdict, and the steady interval in cycles (analytic).

    `startup_cycles` fill memories without initial contents before the first frame. `bottleneck` is the block with the longest interval, or "host" when transfer takes longer.
    """

    parts: tuple[PartEstimate, ...]
    total: Resources
    budget: Resources
    verdict: Verdict
    interval_cycles: int
    fps: float
    bottleneck: str
    startup_cycles: int = 0
    source: str = "analytic"


def estimate(design: Design, board: Board) -> DesignEstimate:
    """Estimate `design` on `board`: the sum over blocks and FIFOs, against the board's budget.

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
    startup = startup_cycles(design, board)
    return DesignEstimate(parts, demand, budget, verdict, interval, fps, bottleneck, startup)


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
def block_cost(block: Block, family: str) -> Resources:
    """Sum of the cost terms of `block` on the family called `family`."""
    return block.cost(load_family(family))


@lru_cache(maxsize=1 << 17)
def block_interval_cycles(block: Block) -> int:
    """Cycles per frame of `block` alone."""
    return block.program().interval_cycles


def _parts(design: Design, family: Family) -> tuple[PartEstimate, ...]:
    blocks = [_part(b.name, "block", b.cost_terms(family)) for b in design.blocks]
    streams = [
        _part(s.name, "stream", fifo_terms(family, s.depth, s.bits, s.style))
        for s in design.streams
    ]
    return (*blocks, *streams)


def _part(name: str, kind: str, terms: tuple[CostTerm, ...]) -> PartEstimate:
    return PartEstimate(name, kind, terms, total(term.resources for term in terms))
