"""FIFO depths of least memory that keep the interval of the slowest block, proven by simulation.

First a witness: depths that keep the interval, and of them what is ever in use in steady state. Then
bounds, of each FIFO and of all together (fifo_cuts.py), and shrinking from the one towards the other,
over the depths at which memories get larger (fifo_steps.py), each step proven by exact simulation
(oracle.py).
"""

from __future__ import annotations

from math import ceil
from time import process_time

import msgspec

from codesign.board import Board
from codesign.cost.estimate import estimate
from codesign.cost.fifo import storage_bits
from codesign.design import Design, Stream
from codesign.search.fifo_search import FifoSearch
from codesign.search.fifo_steps import Steps
from codesign.search.oracle import Budget

# Events to simulate at most, for bounds and for shrinking; what is left then stays as it is proven.
BOUND_EVENTS, SHRINK_EVENTS = 1_000_000_000, 1_500_000_000
# What is proven not to fit gets so many times fewer to shrink with.
REFUTED = 10
# Relative: what a solver may round.
ROUNDING = 1e-9


class SizedStream(msgspec.Struct, frozen=True):
    """Slots of one FIFO: least, found, and tokens in the witness.

    No design keeps the interval with fewer than `bound_depth`, as far as memory is concerned: a
    FIFO may well be shallower where that saves none. `width_bits` is the width of a token, the
    other bits are those of the memory that the FIFO takes up.
    """

    name: str
    width_bits: int
    bound_depth: int
    depth: int
    witness_tokens: int
    bound_bits: int
    bits: int
    witness_bits: int


class FifoSizing(msgspec.Struct, frozen=True, kw_only=True):
    """A design with its FIFOs, and how far their memory may be from the least.

    `bound_bits` holds for all together, within the budget of the board where some design `fits` it;
    it is no less than the sum of what holds for each stream alone.
    `events` were simulated for it; `complete` says that no cut and no step was left untried.
    `seconds` of processor time.
    """

    design: Design
    interval_cycles: int
    streams: tuple[SizedStream, ...]
    witness_bits: int
    bits: int
    bound_bits: int
    events: int
    complete: bool
    fits: bool
    seconds: float

    @property
    def optimal(self) -> bool:
        """No design with this folding and interval has FIFOs of less memory."""
        return self.bits <= self.bound_bits


def size_fifos(design: Design, board: Board, full_rate: bool = False) -> Design:
    """`design` with depths and styles that keep the interval of its slowest block or of the host.

    See `fifo_sizing`.
    """
    return fifo_sizing(design, board, full_rate).design


def fifo_sizing(
    design: Design,
    board: Board,
    full_rate: bool = False,
    bound_events: int = BOUND_EVENTS,
    shrink_events: int = SHRINK_EVENTS,
) -> FifoSizing:
    """FIFOs of little memory that keep the interval of the slowest block or of the host, with bounds.

    With `full_rate` no FIFO gets shallower than in `design`: one that serves its mean rate, but not a
    token each cycle, delays a frame, though not the frames behind it.
    The result is proven by exact simulation: no deadlock, the interval is kept from reset on. Bounds
    hold among designs whose streams hold two frames at most. Raises InvariantBroken when the machine
    does not keep the interval even with FIFOs of that size.
    """
    started, search = process_time(), FifoSearch(design, board, full_rate)
    bounding, witness = Budget(bound_events), search.witness()
    bounds = search.bounds(witness, bounding)
    shrinking = Budget(shrink_events if bounds.fits else shrink_events // REFUTED)
    sized = search.sized(witness, bounds, shrinking)
    streams = tuple(
        _stream(s, search.steps, witness[s.name], bounds.least[s.name]) for s in sized.streams
    )
    return FifoSizing(
        design=sized,
        interval_cycles=search.interval,
        streams=streams,
        witness_bits=sum(s.witness_bits for s in streams),
        bits=sum(s.bits for s in streams),
        bound_bits=ceil(bounds.best.bound_bits * (1 - ROUNDING)),
        events=sum(b.spent for b in (search.free, search.tidying, bounding, shrinking)),
        fits=estimate(sized, board).verdict.fits,
        complete=bounds.complete and not (bounding.short or shrinking.short),
        seconds=process_time() - started,
    )


def _stream(stream: Stream, steps: Steps, witness: int, least: int) -> SizedStream:
    return SizedStream(
        name=stream.name,
        width_bits=stream.bits,
        bound_depth=least,
        depth=stream.depth,
        witness_tokens=witness,
        bound_bits=min(fifo.bits for fifo in steps.of_depth(least, stream.bits)),
        bits=storage_bits(steps.family, stream.depth, stream.bits, stream.style),
        witness_bits=steps.fifo(witness, stream.bits).bits,
    )
