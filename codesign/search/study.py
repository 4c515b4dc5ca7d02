"""`python -m codesign.search.study`: the search against a greedy one, on published networks.

Writes docs/results/search.md, but for the goals above and the FIFO depths below: for each network
and board the best frame rate with its proof, or the proof that nothing fits, the time taken, and what
a greedy search in the spirit of FINN's SetFolding reaches with the same foldings, memories, costs and
budget.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

from codesign.board import load_board
from codesign.cost.verdict import scarcest, word
from codesign.files import write_text_atomic
from codesign.models.published import PUBLISHED
from codesign.search import latency_study, padding_study
from codesign.search.fifo_study import section
from codesign.search.folding import FoldResult, find_folds
from codesign.search.greedy import ONE_POLICY, POLICIES, Greedy, greedy_folds

# Networks by the boards they are tried on.
TRIED = {
    ("pynq-z1", "zcu104"): ("cnv-w1a1", "cnv-w2a2", "cnv-w4a4"),
    ("zcu104", "u250"): ("mobilenet-v1-w4a4",),
    ("u250",): ("resnet-50-w1a2", "resnet-50-w2a4"),
}
CASES = tuple(
    (name, board) for boards, names in TRIED.items() for board in boards for name in names
)
RESULTS = Path("docs/results/search.md")
TITLE = "# The folding search on published networks"
HEAD = (
    TITLE
    + """

Written by `python -m codesign.search.study`. Networks by shape (`codesign/models/published.py`), weights
do not matter; resources are those of `codesign estimate`, budgets the usable fractions of the board files,
rates those of the slowest block or of the host at the board's clock. Streams have the depth that full rate
needs, each in the style that serves best; deeper ones, which residual connections need, are sized
behind the search (`codesign estimate` folds again where they do not fit).

*Proven* means: at the next faster interval of any combination of legal foldings no choice of foldings,
multipliers, memories and FIFO styles holds all budgets together, width converters and forks included.
A Lagrangian bound over exact tables of the whole network proves that, or CP-SAT where it does not. The
next column says what the next faster rate lacks at least (a number where the bound refutes it, none where
only CP-SAT does); where no legal folding is faster on any board, it is empty. Channel counts are not padded
here: those of these networks are round.

*Greedy* is `codesign/search/greedy.py`: simd, then pe, layer by layer until the cycles are within the
target; the best of {targets} targets. Multiplier and memory of a layer are the cheaper ones in shares of
the budget. *Greedy, {policies} policies* also tries LUTs, memories and DSPs at four times that price, for every
target, which FINN's does not. `s` is the processor time of the search on one core, from a cold start of its
tables; in brackets wall-clock seconds, on a machine that does other things.

"""
)
COLUMNS = (
    "network", "board", "best frames/s", "cycles", "proof", "next rate lacks", "fullest count", "s",
    "greedy", "ratio",
    f"greedy, {len(POLICIES)} policies", "ratio",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One network on one board, searched and greedily folded."""

    network: str
    board: str
    found: FoldResult
    seconds: float
    wall_s: float
    greedy: Greedy
    greedier: Greedy
    fullest: str

    def ratio(self, other: Greedy) -> float | None:
        """Frames per second against a greedy folding; None where nothing fits."""
        if not self.found.fits:
            return None
        return self.found.fps / other.fps if other.fits else float("inf")


def run_case(network: str, board_name: str) -> Case:
    """Search and both greedy foldings of one case."""
    graph, board = PUBLISHED[network](), load_board(board_name)
    start = process_time(), perf_counter()
    found = find_folds(graph, board)
    seconds, wall_s = process_time() - start[0], perf_counter() - start[1]
    greedy = greedy_folds(graph, board, policies=ONE_POLICY)
    greedier = greedy_folds(graph, board)
    fullest = _fullest(found, board)
    return Case(network, board_name, found, seconds, wall_s, greedy, greedier, fullest)


def main(
    cases: tuple[tuple[str, str], ...] = CASES,
    out: Path = RESULTS,
    further: tuple[Callable[[], str], ...] = (padding_study.section, latency_study.section),
) -> None:
    """Run all cases, print a line for each and write the table, with `further` sections behind it."""
    rows = []
    for network, board in cases:
        case = run_case(network, board)
        rows.append(case)
        print(f"{network} on {board}: {case.found.best_fps:,.1f} frames/s, {case.seconds:.1f} s")
    text = HEAD.format(
        targets=rows[0].greedy.targets,
        policies=len(POLICIES),
    )
    page = out.read_text() if out.exists() else ""
    goals = page.partition(TITLE)[0].rstrip("\n") + "\n" if TITLE in page else ""
    parts = [goals, text + _table(rows) + _summary(rows), *(make() for make in further)]
    write_text_atomic(out, "\n".join(filter(None, [*parts, section(page)])))


def _fullest(found: FoldResult, board: object) -> str:
    from codesign.cost.estimate import estimate

    demand, budget = estimate(found.design, board).total.flat(), board.budget().flat()
    kind, share = scarcest(demand, budget)
    return f"{word(kind)} {share:.1%}"


def _table(cases: list[Case]) -> str:
    lines = [" | ".join(COLUMNS), "|".join("---" for _ in COLUMNS)]
    lines += [" | ".join(_cells(case)) for case in cases]
    return "".join(f"| {line} |\n" for line in lines)


def _cells(case: Case) -> tuple[str, ...]:
    found = case.found
    proof = found.proof.sentence(found.fps, False) if found.fits else found.proof.refutation(False)
    rate = f"{found.best_fps:,.1f}" if found.fits else "does not fit"
    cycles = f"{found.interval_cycles:,}" if found.fits else ""
    lacks = found.proof.lacking if found.fits and found.proof.scarce else ""
    spent = f"{case.seconds:.1f} ({case.wall_s:.0f})"
    cells = [case.network, case.board, rate, cycles, proof, lacks, case.fullest, spent]
    for greedy in (case.greedy, case.greedier):
        ratio = case.ratio(greedy)
        cells += [f"{greedy.fps:,.1f}" if greedy.fits else "does not fit"]
        cells += ["" if ratio is None else f"{ratio:.2f}"]
    return tuple(cells)


def _summary(cases: list[Case]) -> str:
    lines = []
    for name, pick in (("greedy", "greedy"), (f"greedy with {len(POLICIES)} policies", "greedier")):
        ratios = [r for c in cases if (r := c.ratio(getattr(c, pick))) is not None]
        if ratios:
            lines.append(
                f"Against {name}: median ratio {median(ratios):.2f}, least {min(ratios):.2f}, over "
                f"{len(ratios)} feasible cases."
            )
    return "\n" + "\n\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
