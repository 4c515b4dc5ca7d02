"""Loading in a run of the hardware: what the bench sends to `s_axis_weights`, and when it is done."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codesign.board import Board
from codesign.design import Design
from codesign.errors import RtlMismatch
from codesign.rtl.large import WEIGHTS_FILE
from codesign.sim.startup import LAST_WRITE_CYCLES, load_gap_cycles, load_transfers

# A transfer of a paused stream waits this many cycles more, in the mean.
PAUSE_CYCLES = 1


def load_gaps(design: Design, board: Board, seed: int | None = None) -> np.ndarray:
    """Least distance in cycles of each transfer to the one before: the board's own, and more at
    random where a `seed` is given. Empty where nothing is loaded."""
    transfers = load_transfers(design, board)
    gaps = np.full(transfers, load_gap_cycles(design, board) if transfers else 1)
    if seed is None:
        return gaps
    return gaps + np.random.default_rng(seed).geometric(1 / (1 + PAUSE_CYCLES), transfers) - 1


def start_cycle(gaps: np.ndarray) -> int:
    """Cycle behind reset in which frames start."""
    return int(gaps.sum()) + LAST_WRITE_CYCLES if len(gaps) else 0


def write_weights(rtl: Path, gaps: np.ndarray, folder: Path) -> None:
    """What the second hw/bench/axis_source.sv reads; `rtl` is the folder of the hardware."""
    if not len(gaps):
        return
    beats = (rtl / WEIGHTS_FILE).read_text().split()
    lines = (f"{gap:x} {beat}\n" for gap, beat in zip(gaps.tolist(), beats, strict=True))
    (folder / "weights").mkdir(exist_ok=True)
    (folder / "weights" / "source.txt").write_text("".join(lines))


def check_start(design: Design, pacing: str, gaps: np.ndarray, folder: Path) -> None:
    """Raise RtlMismatch unless frames started in the cycle that `start_cycle` states."""
    if not len(gaps):
        return
    written = (folder / "startup").read_text()
    found, expected = int(written, 16) if written else None, start_cycle(gaps)
    if found != expected:
        when = "never" if found is None else f"in cycle {found}"
        raise RtlMismatch(
            f"design {design.name}, {pacing}: frames must start in cycle {expected} behind reset, "
            f"once {len(gaps)} transfers have filled the memories; they start {when}",
            pacing=pacing,
            expected=expected,
            found=found,
        )
