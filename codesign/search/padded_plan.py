"""The plan of a network whose channels may be padded."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from codesign.board import Board
from codesign.graph.ir import IntGraph
from codesign.search.folding import Weights
from codesign.search.padding import find_padded
from codesign.search.plan import Plan, plan


def plan_padded(
    graph: IntGraph,
    board: Board,
    target_fps: float | None = None,
    target_latency_s: float | None = None,
    advise: bool = True,
    minimise: Weights | None = None,
) -> Plan:
    """`codesign.search.plan.plan` of the best padding of channel counts, or of none where the FIFOs
    of a padded design take away what it gains."""
    padded = find_padded(graph, board, target_fps, target_latency_s, minimise)
    targets = target_fps, target_latency_s
    found = plan(padded.graph, board, *targets, advise=False, minimise=minimise)
    if padded.sizes and found.estimate.fps < padded.found.fps:
        plain = plan(graph, board, *targets, advise=False, minimise=minimise)
        if _rank(plain) >= _rank(found):
            found, padded = plain, replace(padded, graph=graph, sizes={})
    if advise and not found.fits:
        found = plan(padded.graph, board, *targets, minimise=minimise)
    proof = msgspec.structs.replace(padded.found.proof, cost=found.proof.cost)
    return replace(found, proof=proof, padded=padded)


def _rank(found: Plan) -> tuple[bool, bool, float]:
    return found.fits, found.meets_target, found.estimate.fps
