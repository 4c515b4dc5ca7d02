"""Shapes of event program that several blocks share."""

from __future__ import annotations

from codesign.program import Loop, Program, Read, Segment, simple


def segment(
    count: int, reads: tuple[Read, ...] = (), writes: tuple[str, ...] = (), gap: int = 1
) -> tuple[Segment, ...]:
    """One segment, or none when `count` is 0."""
    return (Segment(count, reads, writes, gap),) if count else ()


def loop(repeat: int, segments: tuple[Segment, ...]) -> tuple[Loop, ...]:
    """One loop, or none when it would have no event."""
    return (Loop(repeat, segments),) if repeat and segments else ()


def one_to_one(
    beats: int,
    reads: tuple[str, ...] = ("in0",),
    writes: tuple[str, ...] = ("out0",),
    latency_cycles: int = 0,
) -> Program:
    """Every event reads a token from all `reads` and writes one to all `writes`."""
    event = Segment(beats, tuple(Read(port) for port in reads), writes)
    return simple("main", event, latency_cycles=latency_cycles)


def reduction(taps: int, fold: int, vectors: int, latency_cycles: int) -> Program:
    """Per vector: `taps` rounds of `fold` reads, of which the last round also writes."""
    read = (Read("in0"),)
    parts = (*segment((taps - 1) * fold, read), Segment(fold, read, ("out0",)))
    return simple("main", *parts, repeat=vectors, latency_cycles=latency_cycles)
