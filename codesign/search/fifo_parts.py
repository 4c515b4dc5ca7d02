"""Which parts of a machine are too slow, whatever surrounds them?

A part is some of the processes with the channels between them: leaving out all others never makes a
machine slower. A stream whose depth is left open gets ample room, so it holds nobody back. So where a
part stops, or is proven to take longer than the interval, every design with its depths does.

Let x(n) be the state after frame n (see codesign/sim/steady.py). Times are max-plus linear in it: if
x(n + k) is at least c cycles behind x(n) in every entry, then every k further frames take c cycles or
more; if it is at most c behind in every entry, they never take more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b

import numpy as np

from codesign.search.fifo_split import Run, cut_out
from codesign.search.oracle import Budget
from codesign.sim.encode import Code, encode
from codesign.sim.engine import advance, program_of, start
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
        self.leaving: dict[str, list[Channel]] = {name: [] for name in self.order}
        for channel in machine.channels:
            self.leaving[channel.source].append(channel)
        self.codes: dict[Run, _Part] = {}
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
            names = (c.name for c in self._channels(run))
            self.runs[run] = tuple(name for name in names if name in self.streams)
        return self.runs[run]

    def _parts(self, run: Run, finite: frozenset[str]) -> tuple[Run, ...]:
        """Processes on common cycles when only `finite` streams hold back who writes them."""
        if (run, finite) not in self.split:
            self.split[run, finite] = tuple(self._found_parts(run, finite))
        return self.split[run, finite]

    def _found_parts(self, run: Run, finite: frozenset[str]) -> Iterator[Run]:
        """Strongly connected processes, where a channel of ample room joins them one way only."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        place = {name: i for i, name in enumerate(run)}
        ways = []
        for c in self._channels(run):
            source, target = place[c.source], place[c.target]
            ways.append((source, target))
            if c.name not in self.streams or c.name in finite:
                ways.append((target, source))
        ends = np.array(ways, np.int32).reshape(-1, 2).T
        graph = coo_array((np.ones(len(ways), np.int8), ends), shape=(len(run), len(run)))
        _, part_of = connected_components(graph, connection="strong")
        for part in np.flatnonzero(np.bincount(part_of) > 1):
            yield tuple(run[i] for i in np.flatnonzero(part_of == part))

    def _channels(self, run: Run) -> list[Channel]:
        """Channels between these processes."""
        kept = set(run)
        return [c for name in run for c in self.leaving[name] if c.target in kept]

    def _too_slow(self, run: Run, depths: Mapping[str, int]) -> bool:
        part = self._part(run)
        wanted = [depths.get(n, d) for n, d in zip(part.names, part.depth, strict=True)]
        key = part.key(wanted)
        if key not in _known:
            answer = part.too_slow(wanted, self.interval_cycles, self._spend(run))
            if answer is None:
                return False
            _known[key] = answer
        return _known[key]

    def _spend(self, part: Run) -> Iterator[bool]:
        events = sum(self.events[n] for n in part)
        return (self.budget.spend(events) for _ in range(MOST_FRAMES))

    def _part(self, run: Run) -> _Part:
        """These processes, their streams with ample room."""
        if run not in self.codes:
            machine = cut_out(self.machine, run)
            code, names = encode(machine), tuple(c.name for c in machine.channels)
            ample = AMPLE_FRAMES * code.tokens_per_frame + code.latency + 2
            free = np.array([n in self.streams for n in names], bool)
            depth = np.where(free, ample, code.depth).tolist()
            self.codes[run] = _Part(code, names, depth, _digest(code, self.interval_cycles))
        return self.codes[run]


class _Part:
    """A part in integers, with the names and depths of its channels; `digest` of all but depths."""

    def __init__(
        self, code: Code, names: tuple[str, ...], depth: Sequence[int], digest: blake2b
    ) -> None:
        self.code, self.names, self.depth, self.digest = code, names, depth, digest
        self.program = program_of(code)

    def key(self, depths: Sequence[int]) -> bytes:
        """Tells this part with these depths from all others."""
        digest = self.digest.copy()
        digest.update(np.array(depths, np.int64).tobytes())
        return digest.digest()

    def too_slow(
        self, depths: Sequence[int], interval_cycles: int, frames: Iterator[bool]
    ) -> bool | None:
        """Whether it is proven to take longer than the interval; None when `frames` run out."""
        code = self.code._replace(depth=np.array(depths, np.int64))
        state, seen = start(code, program=self.program), []
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


def forget() -> None:
    """Forget all answers, for studies of the time taken."""
    _known.clear()


def _digest(code: Code, interval_cycles: int) -> blake2b:
    digest = blake2b(interval_cycles.to_bytes(8, "little"), digest_size=16)
    for table in code._replace(depth=code.depth[:0]):
        digest.update(len(table).to_bytes(4, "little"))
        digest.update(table.tobytes())
    return digest
