"""The first place where a run of the hardware differs from what is expected of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from codesign.design import HOST, Design, Stream
from codesign.rtl.inner import InnerWires, inner_wires
from codesign.verify.expected import Times, value_of
from codesign.verify.records import Record

Link = Stream | InnerWires


@dataclass(frozen=True)
class Difference:
    """Where the hardware leaves what is expected; `block` is the one that acts there.

    `kind` is "issue" or "release" (`expected` and `found` are cycles, None for never), "count" (they
    are beats) or "data" (integers of lane `lane`). `cycle` is the first in which it shows.
    """

    kind: str
    block: str
    channel: str
    beat: int
    frame: int
    cycle: int
    expected: int | None
    found: int | None
    lane: int | None = None

    def __str__(self) -> str:
        place = f"{self.block}, channel {self.channel}, beat {self.beat} of frame {self.frame}"
        if self.kind == "data":
            found = f"lane {self.lane} must be {self.expected}, found {self.found}"
            return f"{place}: {found} (taken in cycle {self.cycle})"
        if self.kind == "count":
            return f"{place}: {self.expected} beats must pass, found {self.found}"
        done = "written" if self.kind == "issue" else "taken"
        expected, found = map(_when, (self.expected, self.found))
        return f"{place}: must be {done} {expected}, found {found}"


def _when(cycle: int | None) -> str:
    return "never" if cycle is None else f"in cycle {cycle}"


def first_difference(
    design: Design,
    records: dict[str, Record],
    codes: dict[str, np.ndarray],
    times: dict[str, Times],
    timed: bool = True,
) -> Difference | None:
    """The difference that shows in the earliest cycle; unless `timed`, beats are only counted.

    Of channels inside blocks the times are compared, their bits show in the block's output.
    """
    found = [
        d
        for s in design.streams
        for d in _differences(s, records[s.name], codes[s.name], times[s.name], timed)
    ]
    for inner in inner_wires(design):
        found += _moves(inner, records[inner.name], times[inner.name], timed)
    return min(found, key=lambda d: d.cycle, default=None)


def _differences(
    stream: Stream, record: Record, codes: np.ndarray, times: Times, timed: bool
) -> Iterator[Difference]:
    """The first difference of each kind on one stream."""
    yield from _moves(stream, record, times, timed)
    yield from _in_data(stream, _block(stream.source), record, codes)


def _moves(link: Link, record: Record, times: Times, timed: bool) -> Iterator[Difference]:
    """The first difference of issue and of release on one channel."""
    writer, reader = _ends(link)
    ends = (
        ("issue", writer, times.issues, record.issues),
        ("release", reader, times.releases, record.releases),
    )
    for kind, block, expected, found in ends:
        if timed:
            yield from _in_time(kind, block, link, expected, found)
        else:
            yield from _in_count(block, link, found, len(expected))


def _ends(link: Link) -> tuple[str, str]:
    """The block that writes a channel and the one that reads it."""
    if isinstance(link, Stream):
        return _block(link.source), _block(link.target)
    return link.block, link.block


def _in_time(
    kind: str, block: str, link: Link, expected: np.ndarray, found: np.ndarray
) -> Iterator[Difference]:
    common = min(len(expected), len(found))
    wrong = np.flatnonzero(expected[:common] != found[:common])
    if not len(wrong) and len(expected) == len(found):
        return
    at = int(wrong[0]) if len(wrong) else common
    pair = [int(cycles[at]) if at < len(cycles) else None for cycles in (expected, found)]
    cycle = min(c for c in pair if c is not None)
    frame, beat = divmod(at, link.beats_per_frame)
    yield Difference(kind, block, link.name, beat, frame, cycle, *pair)


def _in_count(block: str, link: Link, found: np.ndarray, expected: int) -> Iterator[Difference]:
    """A beat too few or too many."""
    if len(found) == expected:
        return
    at = min(len(found), expected)
    frame, beat = divmod(at, link.beats_per_frame)
    # What is lost shows first where the flow ends first.
    cycle = int(found[min(at, len(found) - 1)]) if len(found) else 0
    yield Difference("count", block, link.name, beat, frame, cycle, expected, len(found))


def _in_data(
    stream: Stream, writer: str, record: Record, codes: np.ndarray
) -> Iterator[Difference]:
    common = min(len(codes), len(record.codes))
    wrong = np.argwhere(codes[:common] != record.codes[:common])
    if not len(wrong):
        return
    at, lane = (int(n) for n in wrong[0])
    frame, beat = divmod(at, stream.beats_per_frame)
    pair = (value_of(int(c[at, lane]), stream.qtype) for c in (codes, record.codes))
    cycle = int(record.releases[at])
    yield Difference("data", writer, stream.name, beat, frame, cycle, *pair, lane=lane)


def _block(end: str) -> str:
    return end.rpartition(".")[0] or HOST
