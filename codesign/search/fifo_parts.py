"""Which parts of a machine are too slow, whatever surrounds them?

A part is some of the processes with the channels between them: leaving out all others never makes a
machine slower. A stream whose depth is left open gets ample room, so it holds nobody back. So where a
part stops, or is proven to take longer than the interval, every design with its depths does.

Let x(n) be the state after frame n (see codesign/sim/steady.py). Times are max-plus linear in it: if
x(n + k) is at least c cycles behind x(n) in every entry, then every k further frames take c cycles or
more; if it is at most c behind in every entry, they never take more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b

import numpy as np

from codesign.search.fifo_split import Run, cut_out
from codesign.search.oracle import Budget
from codesign.sim.encode import Code, encode
from codesign.sim.engine import advance, start
from codesign.sim.machine import Channel, Machine
from codesign.sim.steady import clamped

# Frames that a stream of open depth may hold: what is proven holds for designs that hold no more.
AMPLE_FRAMES = 2
# Frames to wait for an answer; without one nothing is proven.
MOST_FRAMES = 8

# Answers by content of the part and interval: equal blocks have equal parts, and a network that is
# folded again keeps most of them.
_known: dict[bytes, bool] = {}


class Parts:
    """Parts of `machine`; `streams` are its channels with a free choice of depth."""

    def __init__(
        self, machine: Machine, streams: Iterable[str], interval_cycles: int, budget: Budget
    ) -> None:
        self.machine, self.streams = machine, frozenset(streams)
        self.interval_cycles, self.budget = interval_cycles, budget
        self.order = tuple(machine.processes)
        self.events = {n: p.events_per_frame for n, p in machine.processes.items()}
        self.codes: dict[Run, tuple[Code, tuple[str, ...]]] = {}
        self.runs: dict[Run, tuple[str, ...]] = {}
        self.split: dict[tuple[Run, frozenset[str]], tuple[Run, ...]] = {}
        self.answers: dict[tuple[Run, tuple[int | None, ...]], bool] = {}

    def fail(self, depths: Mapping[str, int], among: Run | None = None) -> bool:
        """True when these depths are proven to be too little, all other streams with ample room.

        `among` names the processes to look at, all of them by default.
        """
        run = self.order if among is None else among
        key = run, tuple(map(depths.get, self.inside(run)))
        if key not in self.answers:
            parts = self._parts(run, frozenset(depths).intersection(self.inside(run)))
            self.answers[key] = any(self._too_slow(part, depths) for part in parts)
        return self.answers[key]

    def inside(self, run: Run) -> tuple[str, ...]:
        """Streams between these processes."""
        if run not in self.runs:
            kept = set(run)
            self.runs[run] = tuple(
                c.name
                for c in self.machine.channels
                if c.name in self.streams and c.source in kept and c.target in kept
            )
        return self.runs[run]

    def _parts(self, run: Run, finite: frozenset[str]) -> tuple[Run, ...]:
        """Processes on common cycles when only `finite` streams hold back who writes them."""
        if (run, finite) not in self.split:
            self.split[run, finite] = tuple(self._found_parts(run, finite))
        return self.split[run, finite]

    def _found_parts(self, run: Run, finite: frozenset[str]) -> Iterator[Run]:
        forward, backward = defaultdict(set), defaultdict(set)
        left = dict.fromkeys(run)
        for c in self.machine.channels:
            if c.source in left and c.target in left:
                for a, b in _edges(c, c.name in self.streams and c.name not in finite):
                    forward[a].add(b)
                    backward[b].add(a)
        while left:
            name = next(iter(left))
            part = _reached(name, forward) & _reached(name, backward)
            if len(part) > 1:
                yield tuple(n for n in run if n in part)
            for n in part:
                del left[n]

    def _too_slow(self, part: Run, depths: Mapping[str, int]) -> bool:
        code, names = self._code(part)
        wanted = [depths.get(n, d) for n, d in zip(names, code.depth.tolist(), strict=True)]
        code = code._replace(depth=np.array(wanted, np.int64))
        key = _key(code, self.interval_cycles)
        if key not in _known:
            answer = _too_slow(code, self.interval_cycles, self._spend(part))
            if answer is None:
                return False
            _known[key] = answer
        return _known[key]

    def _spend(self, part: Run) -> Iterator[bool]:
        events = sum(self.events[n] for n in part)
        return (self.budget.spend(events) for _ in range(MOST_FRAMES))

    def _code(self, part: Run) -> tuple[Code, tuple[str, ...]]:
        """The part in integers, its streams with ample room, and the names of its channels."""
        if part not in self.codes:
            machine = cut_out(self.machine, part)
            code, names = encode(machine), tuple(c.name for c in machine.channels)
            ample = AMPLE_FRAMES * code.tokens_per_frame + code.latency + 2
            free = np.array([n in self.streams for n in names], bool)
            self.codes[part] = code._replace(depth=np.where(free, ample, code.depth)), names
        return self.codes[part]


def forget() -> None:
    """Forget all answers, for studies of the time taken."""
    _known.clear()


def _key(code: Code, interval_cycles: int) -> bytes:
    digest = blake2b(interval_cycles.to_bytes(8, "little"), digest_size=16)
    for table in code:
        digest.update(len(table).to_bytes(4, "little"))
        digest.update(table.tobytes())
    return digest.digest()


def _too_slow(code: Code, interval_cycles: int, frames: Iterator[bool]) -> bool | None:
    """Whether it is proven that a part takes longer than the interval; None when frames run out."""
    state, seen = start(code), []
    for number, granted in enumerate(frames, 1):
        if not granted:
            return None
        if not advance(code, state, number):
            return True
        times = clamped(code, state)
        for back, before in enumerate(reversed(seen), 1):
            behind, most = times - before, back * interval_cycles
            if behind.min() > most:
                return True
            if behind.max() <= most:
                return False
        seen.append(times)
    return False


def _edges(channel: Channel, ample: bool) -> tuple[tuple[str, str], ...]:
    """Who waits for whom, in the direction of time."""
    there = channel.source, channel.target
    return (there,) if ample else (there, there[::-1])


def _reached(start: str, edges: Mapping[str, set[str]]) -> set[str]:
    found, todo = {start}, [start]
    while todo:
        new = edges[todo.pop()] - found
        found |= new
        todo += new
    return found
