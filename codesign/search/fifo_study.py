"""`python -m codesign.search.fifo_study`: FIFO sizing on published networks, against two habits.

Writes the section "FIFO depths" of docs/results/search.md: for the fastest folding of each network
the memory of its FIFOs, its lower bound and the time taken, beside that of the fullest that an
unbounded FIFO gets in two frames, as it is and rounded up to powers of two. Names of networks behind
the command run their cases only, and leave the other rows of the page as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codesign.board import Board, load_board
from codesign.design import Design
from codesign.files import write_text_atomic
from codesign.graph.ir import IntGraph
from codesign.models.published import PIXEL, PUBLISHED
from codesign.models.shape_graph import ShapeGraph
from codesign.search.fifo import BOUND_EVENTS, SHRINK_EVENTS, FifoSizing, fifo_sizing
from codesign.search.fifo_parts import forget
from codesign.search.fifo_search import FifoSearch
from codesign.search.folding import find_folds
from codesign.sim.encode import encode
from codesign.sim.engine import advance, start
from codesign.sim.occupancy import observed_slots, update_high_water
from codesign.types import BIPOLAR, QType

RESULTS = Path("docs/results/search.md")
TITLE = "# FIFO depths of published networks"
UNBOUNDED_FRAMES = 2
CASES = (
    ("digits-w4a4", "pynq-z1"),
    ("tfc-w1a1", "pynq-z1"),
    ("cnv-w1a1", "pynq-z1"),
    ("cnv-w2a2", "zcu104"),
    ("cnv-w4a4", "zcu104"),
    ("mobilenet-v1-w4a4", "zcu104"),
    ("mobilenet-v1-w4a4", "u250"),
    ("resnet-50-w1a2", "u250"),
    ("resnet-50-w2a4", "u250"),
)
HEAD = """{title}

Written by `python -m codesign.search.fifo_study` for the fastest folding that the search finds; where its
FIFOs do not fit the board beside it, for the fastest in less of the board ({reserves} less). Bits are
those of the memory that the FIFOs take up: 64 for each LUT of a LUT RAM, whole block RAMs, flip-flops of
registers. *Unbounded* are FIFOs as deep as the fullest that each gets in {frames} frames when none is ever
full, *powers of two* the same rounded up, as FINN does, each FIFO in the style of least bits.
*Sized* designs are proven by exact simulation: no deadlock, exactly the interval of the slowest block;
whether the unbounded ones keep it was simulated in the same way (*no*: frames end ever later, or no
state has come back after 64). *Bound*: no design with this folding and interval that fits the board (any
board, where *fits* says no) and whose streams hold {frames} frames at most has less. *Each alone* is the
sum of what each FIFO needs when all others are deep enough; the bound adds what runs of processes need
together. On small random graphs of forks and joins, where all depths can be tried, what is sized is the
optimum (`tests/search/test_fifo_sizing.py`). Seconds are processor time on one core, beside other programs; at
most {bounding:,} million simulated events go into bounds and {shrinking:,} million into shrinking (*all tried*: no
cut and no step was left out for that, nor because it joins too many streams).

Unbounded FIFOs and powers of two are counted in the styles of least bits, whether the board holds them or
not. Where the folding leaves no LUTs, sized FIFOs are block RAMs and take up more bits than they hold.
Where the bound is not reached: the window of a residual block with its bypass is a run of dozens of
processes, whose cuts join more streams than are looked at, and the events for bounds end after some
rounds; what streams before and behind a layer must hold together is no sum, and of their many ways of
sharing it a cut excludes one. What is sized there is the witness shrunk as far as its events go.

"""
COLUMNS = (
    "network", "board", "interval", "FIFOs", "unbounded", "keeps it", "powers of two", "witness",
    "sized", "fits", "bound", "over bound", "each alone", "all tried", "unbounded / sized", "s",
)  # fmt: skip
# Shares of the board that are kept for FIFOs, until they fit.
RESERVES = (0.0, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Case:
    """Bits of memory of one network's FIFOs; `keeps` says whether the unbounded ones do."""

    network: str
    board: str
    sizing: FifoSizing
    unbounded_bits: int
    power_bits: int
    keeps: bool


def tfc() -> IntGraph:
    """The smaller multilayer perceptron of the FINN paper, for 28x28 pictures of 10 classes."""
    graph = ShapeGraph("TFC W1A1", (1, 1), 28 * 28, PIXEL)
    for i in range(3):
        graph.dense(f"fc{i}", 64, 1)
        graph.act(f"fc{i}_act", BIPOLAR)
    graph.dense("out", 10, 1)
    return graph.classes()


def digits() -> IntGraph:
    """A small network for 8x8 pictures of handwritten digits: two convolutions, two dense layers."""
    graph, otype = ShapeGraph("Digits W4A4", (8, 8), 1, PIXEL), QType(4, False)
    for i, channels in enumerate((8, 16)):
        graph.conv(f"conv{i}", channels, 4)
        graph.act(f"conv{i}_act", otype)
        if i == 0:
            graph.max_pool("pool", 2, 2)
    graph.dense("fc0", 32, 4)
    graph.act("fc0_act", otype)
    graph.dense("fc1", 10, 4)
    return graph.classes()


NETWORKS: dict[str, Callable[[], IntGraph]] = PUBLISHED | {"tfc-w1a1": tfc, "digits-w4a4": digits}


def run_case(network: str, board_name: str) -> Case:
    """Fold, size, and size by the two habits."""
    board = load_board(board_name)
    design, sizing = _sized(NETWORKS[network](), board)
    search, fullest = FifoSearch(design, board), unbounded(design, board)
    powers = {name: 1 << (tokens - 1).bit_length() for name, tokens in fullest.items()}
    keeps = search.oracle.starts(fullest)
    return Case(network, board_name, sizing, search.bits(fullest), search.bits(powers), keeps)


def _sized(graph: IntGraph, board: Board) -> tuple[Design, FifoSizing]:
    """The fastest folding whose FIFOs fit as well; nothing of one sizing helps the next."""
    for share in RESERVES:
        design = find_folds(graph, board, reserve=board.budget().scaled(share)).design
        forget()
        sizing = fifo_sizing(design, board)
        if sizing.fits:
            break
    return design, sizing


def unbounded(design: Design, board: Board) -> dict[str, int]:
    """Most tokens in each stream in the first frames, when none is ever full."""
    oracle = FifoSearch(design, board).oracle
    code = encode(oracle.machine)
    streams = [oracle.index[s.name] for s in design.streams]
    code.depth[streams] = UNBOUNDED_FRAMES * code.tokens_per_frame[streams] + 1
    state, high = start(code, observed_slots(code)), np.zeros(len(code.depth), np.int64)
    for frame in range(1, UNBOUNDED_FRAMES + 1):
        advance(code, state, frame)
        update_high_water(high, code.tokens_per_frame, state)
    return {s.name: int(high[i]) for s, i in zip(design.streams, streams, strict=True)}


def main(names: Sequence[str] = (), out: Path = RESULTS) -> None:
    """Run the cases of these networks (all without names), print a row for each and replace those
    rows of the page."""
    # Compiles the kernels, so that no case pays for it.
    run_case(*CASES[0])
    page = out.read_text() if out.exists() else ""
    rows = {(network, board): _row(page, network, board) for network, board in CASES}
    for case in (c for c in CASES if not names or c[0] in names):
        rows[case] = f"| {' | '.join(_cells(run_case(*case)))} |\n"
        print(rows[case], end="", flush=True)
    before = page.removesuffix(section(page)).rstrip("\n")
    table = "".join(
        f"| {line} |\n" for line in (" | ".join(COLUMNS), "|".join("---" for _ in COLUMNS))
    )
    text = _head() + table + "".join(rows.values())
    write_text_atomic(out, f"{before}\n\n{text}" if before else text)


def _head() -> str:
    return HEAD.format(
        title=TITLE,
        frames=UNBOUNDED_FRAMES,
        reserves=", ".join(f"{share:.0%}" for share in RESERVES if share),
        bounding=BOUND_EVENTS // 10**6,
        shrinking=SHRINK_EVENTS // 10**6,
    )


def _row(page: str, network: str, board: str) -> str:
    """The row of a case on the page, "" where there is none."""
    lines = section(page).splitlines(keepends=True)
    return next((line for line in lines if line.startswith(f"| {network} | {board} |")), "")


def section(page: str) -> str:
    """The section of this study in a page, "" where it has none."""
    return TITLE + page.partition(TITLE)[2] if TITLE in page else ""


def _cells(case: Case) -> tuple[str, ...]:
    found = case.sizing
    return (
        case.network,
        case.board,
        f"{found.interval_cycles:,}",
        str(len(found.streams)),
        f"{case.unbounded_bits:,}",
        "yes" if case.keeps else "no",
        f"{case.power_bits:,}",
        f"{found.witness_bits:,}",
        f"{found.bits:,}",
        "yes" if found.fits else "no",
        f"{found.bound_bits:,}",
        f"{found.bits / found.bound_bits - 1:.1%}",
        f"{sum(s.bound_bits for s in found.streams):,}",
        "yes" if found.complete else "no",
        f"{case.unbounded_bits / found.bits:.2f}",
        f"{found.seconds:.1f}",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
