"""Padding on a network of prime channel counts: a section of docs/results/search.md.

`python -m codesign.search.study` writes it: rate and cost of the best folding with the counts as they
are, and with the best padding.
"""

from __future__ import annotations

from time import process_time

from codesign.board import Board, load_board
from codesign.cost.estimate import estimate
from codesign.graph.ir import IntGraph
from codesign.models.published import PIXEL
from codesign.models.shape_graph import ShapeGraph
from codesign.search.folding import FoldResult, find_folds
from codesign.search.padding import find_padded
from codesign.types import QType

TITLE = "# Padding of channel counts"
TEXT = f"""{TITLE}

Written by `python -m codesign.search.study`, for a network by shape whose layers have 13, 29 and 61 channels
(28x28 pictures, two convolutions with a pool behind each, two dense layers; weights of 2 bits, activations
of 2) on shares of a board. `--pad-channels` rounds counts up to multiples of 2, 4, 8 or 16 (odd
counts in front of bipolar weights to odd multiples of 3, 5, 9 or 15), by a quarter at most. FIFOs as above.
All paddings are searched up to 128 of them, beyond that one layer after another; what is proven holds for
those tried. Outputs stay the same: added channels are copies of a layer's first one, and their readers give
them the weight 0, or +1 and -1 in turn where weights are bipolar (`tests/search/test_padding.py`,
`tests/search/test_padded_plan.py` execute both). The row with a target is the cheapest in LUTs that reaches the
rate of the row above it. What the next faster rate lacks holds for all paddings tried. Seconds are
processor time.

"""
COLUMNS = (
    "board", "target", "padded", "frames/s", "LUT", "BRAM18", "DSP", "proof", "next rate lacks", "s",
)  # fmt: skip
SHARES = (0.1, 0.3)


def primes() -> IntGraph:
    """The network of the study."""
    graph = ShapeGraph("primes W2A2", (28, 28), 1, PIXEL)
    otype = QType(2, False)
    for i, channels in enumerate((13, 29)):
        graph.conv(f"conv{i}", channels, 2)
        graph.act(f"conv{i}_act", otype)
        graph.max_pool(f"pool{i}", 2, 2)
    graph.dense("fc0", 61, 2)
    graph.act("fc0_act", otype)
    graph.dense("fc1", 10, 2)
    return graph.classes()


def section() -> str:
    """The section, computed anew."""
    lines = [" | ".join(COLUMNS), "|".join("---" for _ in COLUMNS)]
    for share in SHARES:
        lines += _rows(share)
    return TEXT + "".join(f"| {line} |\n" for line in lines)


def _rows(share: float) -> list[str]:
    board, graph, lines = load_board("pynq-z1").share(share), primes(), []
    fastest = find_folds(graph, board)
    for target in (None, fastest.fps):
        minimise = {"lut": 1.0} if target else None
        start = process_time()
        plain = find_folds(graph, board, target, minimise=minimise)
        between = process_time()
        padded = find_padded(graph, board, target, minimise=minimise)
        spent = between - start, process_time() - between
        sizes = ", ".join(f"{layer} to {size}" for layer, size in padded.sizes.items()) or "none"
        rows = ((plain, "not asked for"), (padded.found, f"{sizes} ({padded.tried} tried)"))
        for (found, words), seconds in zip(rows, spent, strict=True):
            lines.append(_line(found, board, target, words, seconds))
    return lines


def _line(found: FoldResult, board: Board, target: float | None, words: str, seconds: float) -> str:
    counts = estimate(found.design, board).total.flat()
    wanted = f"{target:,.1f}" if target else "none"
    amounts = (f"{counts.get(kind, 0):,.0f}" for kind in ("lut", "BRAM18", "dsp"))
    proof = found.proof.sentence(found.fps, target is not None)
    lacks = found.proof.lacking if target is None and found.proof.scarce else ""
    rate = f"{found.fps:,.1f}"
    return " | ".join((board.name, wanted, words, rate, *amounts, proof, lacks, f"{seconds:.1f}"))
