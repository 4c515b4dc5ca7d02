"""The timestamp engine: the max-plus recurrence of program.py, evaluated process by process.

No cycle is stepped. An activation advances one process as far as the known timestamps allow; a
process that waits is woken by the channel it waits for (kernels.py). A channel keeps the write
times W of its unread tokens and the release times R of the last `depth` tokens in two rings of
`slots` >= depth entries; with `slots` = all tokens of a run the rings are its complete trace.

Reset counts as an event of every process in cycle -1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from codesign.errors import InvariantBroken
from codesign.sim import kernels as k
from codesign.sim.encode import Code

Program = tuple[np.ndarray, ...]
NEVER = -(1 << 60)  # release time of a slot that was never used


class State(NamedTuple):
    """Where every process and channel stands; int64 arrays, changed in place by `advance`.

    All but `tables` are views of its columns.
    """

    # per process: frames done, time of the last event, of the first one of its frame, time lost
    frame: np.ndarray
    time: np.ndarray
    started: np.ndarray
    starved: np.ndarray
    blocked: np.ndarray
    # per process: the channel it waits for (-1: none), and for which of its tokens
    waits_for: np.ndarray
    awaited: np.ndarray
    # per channel: tokens so far and their place in the rings
    written: np.ndarray
    released: np.ndarray
    put: np.ndarray
    take: np.ndarray
    slots: np.ndarray
    base: np.ndarray
    # rings of all channels, one after the other
    write_time: np.ndarray
    release_time: np.ndarray
    tables: k.Tables


PROCESS_VIEWS = (k.FRAME, k.TIME, k.STARTED, k.STARVED, k.BLOCKED, k.WAITS_FOR, k.AWAITED)
CHANNEL_VIEWS = (k.WRITTEN, k.RELEASED, k.PUT, k.TAKE, k.SLOTS, k.BASE)


def start(code: Code, slots: np.ndarray | None = None, program: Program | None = None) -> State:
    """An idle machine; `slots` (per channel, >= depth) enlarges the rings to look back further.

    `program` is that of `program_of(code)`, for machines that differ in depths alone.
    """
    slots = code.depth if slots is None else np.maximum(slots, code.depth)
    processes, channels = _processes(code), _channels(code, slots)
    rings = np.full((2, slots.sum()), NEVER, np.int64)
    ready = np.zeros(len(processes), np.int64), np.zeros(1, np.int64)
    tables = k.Tables(*(program or program_of(code)), processes, channels, *rings, *ready)
    views = (*(processes[:, v] for v in PROCESS_VIEWS), *(channels[:, v] for v in CHANNEL_VIEWS))
    return State(*views, *rings, tables)


def _processes(code: Code) -> np.ndarray:
    rows = np.zeros((len(code.loop_lo) - 1, k.PROCESS_COLUMNS), np.int64)
    rows[:, k.LOOP_LO], rows[:, k.LOOP_HI] = code.loop_lo[:-1], code.loop_lo[1:]
    rows[:, k.LOOP] = code.loop_lo[:-1]
    rows[:, k.SEGMENT] = rows[:, k.FIRST] = code.segment_lo[code.loop_lo[:-1]]
    rows[:, k.TIME] = rows[:, k.WAITS_FOR] = -1
    return rows


def _channels(code: Code, slots: np.ndarray) -> np.ndarray:
    moving = np.zeros((4, len(slots)), np.int64)
    ends = code.source, code.target, code.depth, code.latency
    return _rows((*moving, slots, np.cumsum(slots) - slots, *ends))


def program_of(code: Code) -> Program:
    """Tables of loops, segments, inputs and outputs."""
    loops = (code.repeat, code.segment_lo[:-1], code.segment_lo[1:])
    inputs = (code.read_channel, code.offset, code.step, code.release, code.release_last)
    reads, writes = code.read_lo, code.write_lo
    shape = (code.count, code.gap, code.first_gap, reads[:-1], reads[1:], writes[:-1], writes[1:])
    return _rows(loops), _rows((*shape, *_plain(code))), _rows(inputs), code.write_channel


def _rows(columns: tuple[np.ndarray, ...]) -> np.ndarray:
    """A table with a row for each owner, from its columns."""
    return np.vstack(columns).T.copy()


def _plain(code: Code) -> tuple[np.ndarray, ...]:
    """What a plain segment reads and writes: one channel at most, one token released at most."""
    reads, writes = np.diff(code.read_lo), np.diff(code.write_lo)

    def first(values: np.ndarray, starts: np.ndarray, there: np.ndarray, none: int) -> np.ndarray:
        padded = np.append(values, none)
        return np.where(there > 0, padded[starts[:-1]], none)

    into = first(code.read_channel, code.read_lo, reads, -1)
    out = first(code.write_channel, code.write_lo, writes, -1)
    fields = (code.offset, code.step, code.release, code.release_last)
    read = [first(values, code.read_lo, reads, 0) for values in fields]
    plain = (reads <= 1) & (writes <= 1) & (read[2] <= 1)
    return plain.astype(np.int64), into, out, *read


def advance(code: Code, state: State, frames: int) -> bool:
    """Run every process to the end of frame number `frames` - 1; False when the machine is stuck.

    Raises InvariantBroken when a program releases tokens that have not arrived.
    """
    outcome = k.run(state.tables, frames)
    if outcome >= k.EARLY_RELEASE:
        channel = int(outcome - k.EARLY_RELEASE)
        raise InvariantBroken(
            f"channel number {channel}: a program must release only tokens that have arrived; it "
            "released some before; let an event before it need the last of them",
            channel=channel,
        )
    return outcome == k.DONE
