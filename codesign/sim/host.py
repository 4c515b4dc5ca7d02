"""The host as two processes: off-chip transfer is part of the machine.

One beat takes ceil(bits of the beat / bits per cycle) cycles. Bits per cycle is the width of the
board's stream or, where that is less, this direction's share of the memory bandwidth: input and
output share it in proportion to the bits they move per frame.
"""

from __future__ import annotations

from math import ceil

from codesign.board import Board
from codesign.design import HOST, Design, Stream
from codesign.errors import InvariantBroken
from codesign.program import Loop, Process, Read, Segment

SOURCE = "host.source"
SINK = "host.sink"


def host_source(design: Design, board: Board) -> Process:
    """Writes the beats of one frame per frame, paced by the board."""
    beats = _host_streams(design)[0].beats_per_frame
    gap = gap_cycles(design, board)[0]
    return Process(SOURCE, (Loop(1, (Segment(beats, writes=("out0",), gap=gap),)),))


def host_sink(design: Design, board: Board) -> Process:
    """Reads the beats of one frame per frame, paced by the board."""
    beats = _host_streams(design)[1].beats_per_frame
    gap = gap_cycles(design, board)[1]
    return Process(SINK, (Loop(1, (Segment(beats, reads=(Read("in0"),), gap=gap),)),))


def gap_cycles(design: Design, board: Board) -> tuple[int, int]:
    """Cycles per beat of host input and host output (at least 1)."""
    streams = _host_streams(design)
    moved_bits = tuple(s.bits * s.beats_per_frame for s in streams)
    source, sink = (
        beat_gap_cycles(stream.bits, bits)
        for stream, bits in zip(
            streams, bits_per_cycle(moved_bits, design.clock_hz, board), strict=True
        )
    )
    return source, sink


def bits_per_cycle(moved_bits: tuple[int, ...], clock_hz: float, board: Board) -> tuple[float, ...]:
    """Bits a cycle of each direction that moves `moved_bits` per frame."""
    memory_bits_per_cycle = board.memory_bandwidth_bytes_per_s * 8 / clock_hz
    shares = (memory_bits_per_cycle * bits / sum(moved_bits) for bits in moved_bits)
    return tuple(min(board.stream_bits, share) for share in shares)


def beat_gap_cycles(beat_bits: int, bits_a_cycle: float) -> int:
    """Cycles that a beat of `beat_bits` takes (at least 1)."""
    return max(1, ceil(beat_bits / bits_a_cycle))


def _host_streams(design: Design) -> tuple[Stream, Stream]:
    """The stream that the host writes and the one it reads; raises InvariantBroken."""
    sources = [s for s in design.streams if s.source == HOST]
    sinks = [s for s in design.streams if s.target == HOST]
    if len(sources) != 1 or len(sinks) != 1:
        raise InvariantBroken(
            f"design {design.name}: the host must write one stream and read one; it writes "
            f"{len(sources)} and reads {len(sinks)}",
            design=design.name,
        )
    return sources[0], sinks[0]
