"""What fills a line buffer, and at whose pace: more delays along a path.

A product gives its first token when it has a whole window, so that some rows of pixels must have left the
product before it by then. From its own first token to the one with the last of these pixels that one takes
its time, whatever stands around it. Each token is passed on at the earliest a few cycles after those that
it is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from codesign.blocks.base import Block
from codesign.blocks.weighted import Weighted
from codesign.program import Process, Program
from codesign.search.delays import chain_of, lags_of, until
from codesign.sim.host import beat_gap_cycles


@dataclass(frozen=True)
class Member:
    """A block between two ports of a path under one folding."""

    program: Program
    port_in: str
    port_out: str
    lanes_in: int
    lanes_out: int

    def read(self, element: int) -> int | None:
        """The last element that must have come before `element` is written; None for none."""
        found = chain_of(self.program, self.port_in, self.port_out)
        if found is None:
            return None
        processes, channels = found
        ports = (self.port_in, *(c.name for c in channels), self.port_out)
        token: int | None = element // self.lanes_out
        for process, into, out in zip(
            reversed(processes), ports[-2::-1], ports[:0:-1], strict=True
        ):
            token = None if token is None else needed(process, into, out, token)
        return None if token is None else (token + 1) * self.lanes_in - 1

    @property
    def lag(self) -> int:
        """Cycles from a token of the input to one that needs it, at least."""
        found = chain_of(self.program, self.port_in, self.port_out)
        return sum(lags_of(*found)) if found else 0

    def pace(self, element: int) -> int:
        """Cycles from the first token written to that with `element`."""
        writer = self._writer
        token = element // self.lanes_out
        return until(writer, self.port_out, token) - until(writer, self.port_out, 0)

    @property
    def _writer(self) -> Process:
        return next(p for p in self.program.processes if p.tokens_written(self.port_out))


def needed(process: Process, port_in: str, port_out: str, token: int) -> int | None:
    """Which token of `port_in` an event up to that of token number `token` of `port_out` needs; None
    where none does."""
    released, last, left = 0, -1, token
    for loop in process.loops:
        for segment in loop.segments * loop.repeat:
            writes = port_out in segment.writes
            ends = writes and left < segment.count
            events = left + 1 if ends else segment.count
            for read in (r for r in segment.reads if r.port == port_in):
                steps = (events - 1) * (read.step + read.release)
                last = max(last, released + read.offset + max(0, steps))
                released += events * read.release + read.release_last
            if ends:
                return last if last >= 0 else None
            left -= segment.count if writes else 0
    return None


class Fills:
    """The delays of the blocks at the steps (node, input, output) of a path, for each of their options."""

    def __init__(
        self,
        blocks: Sequence[Block],
        folds: Sequence[Sequence[object]],
        path: Sequence[tuple[int, int, int]],
        host_bits_per_cycle: float,
    ) -> None:
        self.path, self.host_bits_per_cycle = path, host_bits_per_cycle
        self.blocks = [blocks[node] for node, _, _ in path]
        self.folds = [folds[node] for node, _, _ in path]
        self.members = [
            {fold: member_of(block, fold, port, out) for fold in dict.fromkeys(of_node)}
            for block, of_node, (_, port, out) in zip(self.blocks, self.folds, path, strict=True)
        ]

    def counts(self, place: int) -> list[tuple[int, np.ndarray]]:
        """(node, cycles of each option): up to the first token of the block at `place`, which counts
        from what the host has sent."""
        found, element = [], 0
        for step in range(place, -1, -1):
            paced = step < place and isinstance(self.blocks[step], Weighted)
            found.append((self.path[step][0], self._cycles(step, element if paced else 0)))
            read = self._least(step, 0 if paced else element)
            if read is None:
                return found
            element = read
        return [*found, (self.path[0][0], self._sent(element))]

    def rest(self, place: int) -> tuple[int, np.ndarray]:
        """(node, cycles of each option) from the first token of a block to its last."""
        node, _, out = self.path[place]
        last = self.blocks[place].outputs()[out].elements - 1
        return node, self._each(place, lambda member: member.pace(last))

    def _least(self, step: int, element: int) -> int | None:
        """The least that any option has read; None where one may have read nothing."""
        reads = [member.read(element) for member in self.members[step].values()]
        return None if None in reads else min(reads)

    def _cycles(self, step: int, element: int) -> np.ndarray:
        return self._each(step, lambda member: member.lag + member.pace(element))

    def _sent(self, element: int) -> np.ndarray:
        """When the host has sent an element, counted from its first beat."""
        bits = self.blocks[0].inputs()[self.path[0][1]].qtype.bits

        def cycles(member: Member) -> int:
            gap = beat_gap_cycles(member.lanes_in * bits, self.host_bits_per_cycle)
            return element // member.lanes_in * gap

        return self._each(0, cycles)

    def _each(self, step: int, cycles: Callable[[Member], int]) -> np.ndarray:
        known = {fold: cycles(member) for fold, member in self.members[step].items()}
        return np.array([known[fold] for fold in self.folds[step]])


def member_of(block: Block, fold: object, port: int, out: int) -> Member:
    folded = msgspec.structs.replace(block, fold=fold)
    return Member(
        folded.program(),
        f"in{port}",
        f"out{out}",
        folded.inputs()[port].lanes,
        folded.outputs()[out].lanes,
    )
