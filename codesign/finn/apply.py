"""A plan whose folding comes from a FINN file instead of the search."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from codesign.board import Board
from codesign.cost.estimate import estimate
from codesign.cost.fifo import cheapest_style, prices
from codesign.design import Design, Stream
from codesign.finn.read import Folding, folds_of, read_folding
from codesign.graph.ir import IntGraph
from codesign.lowering import assemble
from codesign.search.fifo import size_fifos
from codesign.search.plan import Plan


@dataclass(frozen=True)
class Folded:
    """The plan, and remarks on what the file says that has no counterpart here."""

    plan: Plan
    notes: tuple[str, ...]


def fold_as(path: Path, graph: IntGraph, board: Board, target_fps: float | None = None) -> Folded:
    """`graph` on `board`, folded as the FINN configuration in `path` says.

    FIFOs are as deep as the file says, at least as full rate needs; without depths in the file they
    are sized. The plan misses `target_fps` where the file is too slow. Raises what `codesign.finn.read.read_folding` raises.
    """
    folding = read_folding(path, graph, board)
    design = assemble(graph, folds_of(folding, graph, board), board)
    given = folding.in_depths or folding.out_depths
    design = _deepened(design, folding, board) if given else size_fifos(design, board)
    found = estimate(design, board)
    reached = target_fps is None or (found.verdict.fits and found.fps >= target_fps)
    plan = Plan(design, found, reached, found.fps if found.verdict.fits else 0.0)
    return Folded(plan, folding.notes)


def _deepened(design: Design, folding: Folding, board: Board) -> Design:
    """Every stream at least as deep as the file says at one of its ends."""
    price = prices(board.budget(), board.budget())

    def deep(stream: Stream) -> Stream:
        tokens = max((stream.depth, *_depths(stream, folding)))
        if tokens == stream.depth:
            return stream
        style, depth = cheapest_style(board.family, tokens, stream.bits, price)
        return msgspec.structs.replace(stream, style=style, depth=depth)

    return msgspec.structs.replace(design, streams=tuple(map(deep, design.streams)))


def _depths(stream: Stream, folding: Folding) -> Iterator[int]:
    """Depths that the file gives for the ends of a stream."""
    ends = ((stream.source, folding.out_depths), (stream.target, folding.in_depths))
    for end, depths in ends:
        block, _, port = end.rpartition(".")
        if block in depths:
            yield from depths[block][int(port.lstrip("inout")) :][:1]
