"""What the test bench sends and how it paces itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from codesign.board import Board
from codesign.design import HOST, Design
from codesign.rtl.wire import words
from codesign.sim.host import gap_cycles
from codesign.verify.loading import load_gaps

# A stalled beat waits this many times its own share of the interval, in the mean.
STALLED_SHARE = 0.5


@dataclass(frozen=True)
class Pacing:
    """Least distance in cycles of each beat of a run to the beat before, at source and at sink.

    With `ready_seed` > 0 the sink takes beats in pseudo-random cycles instead; times are then not
    predicted. `load_gaps` are those of the transfers that fill memories before the first frame.
    """

    name: str
    frames: int
    source_gaps: np.ndarray
    sink_gaps: np.ndarray
    ready_seed: int = 0
    load_gaps: np.ndarray = field(default_factory=lambda: np.ones(0, int))

    @property
    def gaps(self) -> tuple[np.ndarray, np.ndarray]:
        """Of source and sink."""
        return self.source_gaps, self.sink_gaps

    @property
    def gaps_and_more(self) -> tuple[np.ndarray, ...]:
        """The same with one frame more: a border is written before its frame's first input comes."""
        frames = self.frames + 1
        return tuple(np.resize(g, len(g) // self.frames * frames) for g in self.gaps)


def free_running(design: Design, board: Board, frames: int) -> Pacing:
    """The host as the simulator has it."""
    gaps = _own_gaps(design, board, frames)
    return Pacing("free-running", frames, *gaps, load_gaps=load_gaps(design, board))


def stalled(design: Design, board: Board, frames: int, interval_cycles: float, seed: int) -> Pacing:
    """Random gaps for each token of the whole run, at source and sink.

    Half of the beats are delayed, so that FIFOs run full and empty but a frame takes only about
    twice as long.
    """
    random = np.random.default_rng(seed)
    gaps = []
    for own in _own_gaps(design, board, frames):
        mean = max(1.0, interval_cycles * frames / len(own) / STALLED_SHARE)
        more = random.geometric(1 / mean, len(own)) * (random.random(len(own)) < STALLED_SHARE)
        gaps.append(own + more)
    return Pacing("random gaps", frames, *gaps, load_gaps=load_gaps(design, board, seed))


def any_ready(
    design: Design, board: Board, frames: int, interval_cycles: float, seed: int
) -> Pacing:
    """An arbitrary pattern of ready by cycle at the sink, and random gaps at the source."""
    gaps = stalled(design, board, frames, interval_cycles, seed)
    return replace(gaps, name="arbitrary ready", ready_seed=seed + 1)


def write_stimulus(design: Design, pacing: Pacing, x: np.ndarray, folder: Path) -> None:
    """source.txt and sink.txt for hw/bench/; `x` holds integers (frames, elements)."""
    stream = next(s for s in design.streams if s.source == HOST)
    beats = words(x, stream.qtype, stream.lanes)
    pairs = zip(pacing.source_gaps.tolist(), beats, strict=True)
    (folder / "source.txt").write_text("".join(f"{gap:x} {beat:x}\n" for gap, beat in pairs))
    taken = pacing.gaps_and_more[1].tolist()
    (folder / "sink.txt").write_text("".join(f"{gap:x}\n" for gap in taken))


def _own_gaps(design: Design, board: Board, frames: int) -> tuple[np.ndarray, np.ndarray]:
    ends = ("source", "target")
    beats = [
        next(s.beats_per_frame for s in design.streams if getattr(s, end) == HOST) for end in ends
    ]
    source, sink = (
        np.full(n * frames, gap) for n, gap in zip(beats, gap_cycles(design, board), strict=True)
    )
    return source, sink
