"""What would help where nothing fits, each answer a search of its own."""

from __future__ import annotations

from collections.abc import Iterator

from codesign.board import Board, all_boards
from codesign.cost.estimate import estimate
from codesign.graph.ir import IntGraph
from codesign.search.fifo import size_fifos
from codesign.search.folding import FoldResult, find_folds, smallest_folds
from codesign.search.layers import uniform
from codesign.search.retyping import weight_bits_of


def widths_that_fit(
    graph: IntGraph, board: Board, target_fps: float | None, target_latency_s: float | None
) -> Iterator[str]:
    """The widest uniform bits that fit: by bisection over foldings, then with FIFOs."""
    targets = target_fps, target_latency_s
    low, high = 0, max((*weight_bits_of(graph).values(), 1)) - 1
    while low < high:
        bits = (low + high + 1) // 2
        found = find_folds(uniform(graph, bits), board, *targets)
        low, high = (bits, high) if found.fits and found.meets_target else (low, bits - 1)
    for bits in range(low, 0, -1):
        found = find_folds(uniform(graph, bits), board, *targets)
        if _holds(found, board):
            width = f"{bits} bit{'s' if bits > 1 else ''}"
            fps = f"{found.fps:,.0f} frames/s"
            yield f"weights and inner activations at {width} fit ({fps})"
            return
    yield "narrower weights and activations alone are not enough"


def boards_that_hold(
    graph: IntGraph, board: Board, target_fps: float | None, target_latency_s: float | None
) -> Iterator[str]:
    """The smallest known board, of any family, that holds the network folded for it."""
    others = (b for b in all_boards() if b.name != board.name)
    for other in sorted(others, key=lambda b: (b.budget().lut, b.name)):
        if target_fps is None and target_latency_s is None:
            found = smallest_folds(graph, other)
        else:
            found = find_folds(graph, other, target_fps, target_latency_s)
        if found.fits and found.meets_target and _holds(found, other):
            fps = other.clock_hz / found.interval_cycles
            yield f"board {other.name} holds it, folded anew ({fps:,.2f} frames/s or more)"
            return
    yield "none of the known boards holds it"


def _holds(found: FoldResult, board: Board) -> bool:
    """Whether the folding fits with FIFOs that keep its interval."""
    return estimate(size_fifos(found.design, board), board).verdict.fits
