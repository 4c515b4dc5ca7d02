"""What FIFOs are made of, chosen for the board behind their depths."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from codesign.board import Board
from codesign.cost.estimate import estimate
from codesign.design import STYLE_LATENCY_CYCLES, Design, Stream
from codesign.search.oracle import Oracle


def tokens_of(stream: Stream) -> int:
    """Tokens that the FIFO holds beside the latency of its style."""
    return stream.depth - STYLE_LATENCY_CYCLES[stream.style]


def fifos_of(design: Design, fifos: Mapping[str, tuple[str, int]]) -> Design:
    """`design` with (style, depth) of each stream."""

    def sized(stream: Stream) -> Stream:
        style, depth = fifos[stream.name]
        return msgspec.structs.replace(stream, style=style, depth=depth)

    return msgspec.structs.replace(design, streams=tuple(map(sized, design.streams)))


def as_given(given: Design, sized: Design, board: Board, oracle: Oracle) -> Design:
    """`sized`, or where that fits worse, with the styles of `given` on all streams of its depths.

    The folding search has chosen them together with the blocks. The oracle must be in the steady
    state of `sized`.
    """
    pairs = zip(given.streams, sized.streams, strict=True)
    streams = tuple(a if tokens_of(a) == tokens_of(b) else b for a, b in pairs)
    kept = msgspec.structs.replace(sized, streams=streams)
    if kept == sized or _excess(kept, board) >= _excess(sized, board):
        return sized
    fifos = {s.name: (tokens_of(s), STYLE_LATENCY_CYCLES[s.style]) for s in streams}
    return kept if oracle.holds(fifos) else sized


def _excess(design: Design, board: Board) -> float:
    """How far a design is over the budget, in budgets; 0 when it fits."""
    found = estimate(design, board).verdict
    return sum(gap / max(1.0, found.budget.get(kind, 0.0)) for kind, gap in found.gaps.items())
