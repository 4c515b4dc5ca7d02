"""FIFO depths of least memory that keep the interval of the slowest block, proven by simulation.

First a witness: depths that keep the interval, and of them what is ever in use in steady state. Then
a bound for each FIFO (fifo_bounds.py), and shrinking from the one towards the other, over the depths
at which memories get larger (fifo_steps.py), each step proven by exact simulation (oracle.py).
"""

from __future__ import annotations

from time import process_time

import msgspec

from codesign.board import Board
from codesign.cost.fifo import storage_bits
from codesign.design import STYLE_LATENCY_CYCLES, Design, Stream
from codesign.search.fifo_search import Bound, FifoSearch
from codesign.search.fifo_steps import Steps
from codesign.search.fifo_styles import tokens_of
from codesign.search.oracle import Budget

# Events to simulate at most, for bounds and for shrinking; what is left then stays as it is proven.
BOUND_EVENTS, SHRINK_EVENTS = 400_000_000, 2_000_000_000


class SizedStream(msgspec.Struct, frozen=True):
    """Tokens that one FIFO holds beside the latency of its style: least, found, and in the witness.

    No design keeps the interval with fewer than `bound_tokens`, as far as memory is concerned: a
    FIFO may well be shallower where that saves none. `width_bits` is the width of a token, the
    other bits are those of the memory that the FIFO takes up.
    """

    name: str
    width_bits: int
    bound_tokens: int
    tokens: int
    witness_tokens: int
    bound_bits: int
    bits: int
    witness_bits: int


class FifoSizing(msgspec.Struct, frozen=True, kw_only=True):
    """A design with its FIFOs, and how far their memory may be from the least.

    `events` were simulated for it; `complete` says that no step was left untried for lack of them.
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
    seconds: float

    @property
    def optimal(self) -> bool:
        """No design with this folding and interval has FIFOs of less memory."""
        return self.bits <= self.bound_bits


def size_fifos(design: Design, board: Board) -> Design:
    """`design` with depths and styles that keep the interval of its slowest block or of the host.

    See `fifo_sizing`.
    """
    return fifo_sizing(design, board).design


def fifo_sizing(
    design: Design,
    board: Board,
    bound_events: int = BOUND_EVENTS,
    shrink_events: int = SHRINK_EVENTS,
) -> FifoSizing:
    """FIFOs of little memory that keep the interval of the slowest block or of the host, with bounds.

    The result is proven by exact simulation from reset: no deadlock, the interval is kept. Bounds
    hold among designs whose streams hold two frames at most. Raises InvariantBroken when the machine
    does not keep the interval even with FIFOs of that size.
    """
    started, search = process_time(), FifoSearch(design, board)
    bounding, shrinking = Budget(bound_events), Budget(shrink_events)
    witness = search.witness()
    bounds = search.bounds(witness, bounding)
    sized = search.shrunk(witness, bounds, shrinking)
    if not search.proven(sized):
        sized = search.plainly(witness)
    streams = tuple(
        _stream(s, search.steps, witness[s.name], bounds[s.name]) for s in sized.streams
    )
    return FifoSizing(
        design=sized,
        interval_cycles=search.interval,
        streams=streams,
        witness_bits=sum(s.witness_bits for s in streams),
        bits=sum(s.bits for s in streams),
        bound_bits=sum(s.bound_bits for s in streams),
        events=sum(b.spent for b in (search.free, search.tidying, bounding, shrinking)),
        complete=not (bounding.short or shrinking.short),
        seconds=process_time() - started,
    )


def _stream(stream: Stream, steps: Steps, witness: int, bound: Bound) -> SizedStream:
    return SizedStream(
        name=stream.name,
        width_bits=stream.bits,
        bound_tokens=bound.tokens,
        tokens=tokens_of(stream),
        witness_tokens=witness,
        bound_bits=_bound_bits(stream, steps, bound),
        bits=storage_bits(steps.family, stream.depth, stream.bits, stream.style),
        witness_bits=steps.bits(witness, stream.bits),
    )


def _bound_bits(stream: Stream, steps: Steps, bound: Bound) -> int:
    """In the cheapest style; where a FIFO has one without latency instead, in that if it is less."""
    bits = steps.bits(bound.level, stream.bits)
    if STYLE_LATENCY_CYCLES[stream.style]:
        return bits
    style, depth = steps.prompt(bound.tokens, stream.bits)
    return min(bits, storage_bits(steps.family, depth, stream.bits, style))
