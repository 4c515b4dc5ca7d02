"""Latency targets: a section of docs/results/search.md, written by `python -m codesign.search.study`."""

from __future__ import annotations

from time import process_time

from codesign.board import Board, load_board
from codesign.graph.ir import IntGraph
from codesign.search.fifo_study import NETWORKS
from codesign.search.folding import find_folds
from codesign.search.latency import latency_cycles

TITLE = "# Latency targets"
TEXT = f"""{TITLE}

Written by `python -m codesign.search.study`: the cheapest folding (sum of the shares of the budget) whose
latency is at most so many times that of the fastest folding. Latencies are simulated, from the first beat of a
frame on an idle machine to its last result. *Bound*: no folding that reaches the target costs less, as far as
delays along the network prove it (`codesign/search/latency.py`); in percent of the cost found. A target that is
missed comes with the shortest latency found and the bound of any, where there is one. Seconds are processor time.

"""
COLUMNS = (
    "network",
    "board",
    "target (cycles)",
    "found (cycles)",
    "frames/s",
    "bound of the cost",
    "s",
)
CASES = (("digits-w4a4", "pynq-z1"), ("tfc-w1a1", "pynq-z1"), ("cnv-w1a1", "pynq-z1"))
# Targets as multiples of the fastest folding's latency.
MULTIPLES = (0.5, 1.0, 2.0, 4.0)


def section() -> str:
    """The section, computed anew."""
    lines = [" | ".join(COLUMNS), "|".join("---" for _ in COLUMNS)]
    for network, board_name in CASES:
        graph, board = NETWORKS[network](), load_board(board_name)
        quickest = latency_cycles(find_folds(graph, board).design, board)
        lines += [_line(graph, network, board, int(quickest * m)) for m in MULTIPLES]
    return TEXT + "".join(f"| {line} |\n" for line in lines)


def _line(graph: IntGraph, network: str, board: Board, target: int) -> str:
    start = process_time()
    found = find_folds(graph, board, target_latency_s=target / board.clock_hz)
    seconds, proof = process_time() - start, found.proof
    bound = f"{proof.cost_bound / proof.cost:.1%}"
    if not found.meets_target:
        least = round(proof.latency_bound_s * board.clock_hz)
        bound = f"missed; none is under {least:,}" if least else "missed, without proof"
    reached = round(proof.latency_s * board.clock_hz)
    cells = (network, board.name, f"{target:,}", f"{reached:,}", f"{found.fps:,.1f}")
    return " | ".join((*cells, bound, f"{seconds:.1f}"))
