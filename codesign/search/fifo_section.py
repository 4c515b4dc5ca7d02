"""One section of a machine (fifo_split.py): FIFOs that surely keep the interval, and shrinking them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping

from codesign.design import STYLE_LATENCY_CYCLES
from codesign.search.fifo_parts import AMPLE_FRAMES
from codesign.search.fifo_shrink import Held, Shrinking
from codesign.search.fifo_split import fixed_at, joins, sections
from codesign.search.fifo_steps import SLOWEST, Fifo, Steps
from codesign.search.oracle import Budget, Oracle
from codesign.sim.machine import Machine

# Tokens of the shallowest FIFOs that are tried as a witness, and by how much the next are deeper.
FIRST_TOKENS, GROWTH = 32, 8


class Section:
    """The streams in `machine` among those of `least` tokens and `width` bits."""

    def __init__(
        self,
        machine: Machine,
        interval_cycles: int,
        least: Mapping[str, int],
        width: Mapping[str, int],
        budget: Budget,
    ) -> None:
        names = [c.name for c in machine.channels if c.name in least]
        self.least, self.width = ({n: of[n] for n in names} for of in (least, width))
        self.oracle = Oracle(machine, interval_cycles, budget)
        self.joins, self.steady = joins(machine), None

    def witness(self) -> dict[str, int] | None:
        """Tokens that keep the interval: those of full rate where they do, else what is in use in
        the steady state of ever deeper FIFOs; None when none do."""
        if self.oracle.starts(self.least):
            return self.least
        for depths in self._deeper():
            self.steady = self.oracle.steady(depths, self.joins)
            if self.steady:
                return {n: max(tokens, self.steady.used[n]) for n, tokens in self.least.items()}
        return None

    def _deeper(self) -> Iterator[dict[str, int]]:
        """All FIFOs equally deep, deeper and deeper, none deeper than AMPLE_FRAMES frames."""
        most = {n: self._ample(n) for n in self.least}
        tokens = FIRST_TOKENS
        while most:
            yield {n: max(self.least[n], min(tokens, most[n])) for n in self.least}
            if tokens >= max(most.values()):
                return
            tokens *= GROWTH

    def _ample(self, name: str) -> int:
        return AMPLE_FRAMES * self.oracle.tokens_per_frame(name) + 2

    def levels(self, witness: Mapping[str, int], steps: Steps) -> dict[str, tuple[int, ...]]:
        """Slots of each FIFO that are worth telling apart, far beyond those of the witness."""
        far = GROWTH * max(witness[n] for n in self.least) + SLOWEST
        every = {w: steps.depths(1, far, w) for w in set(self.width.values())}
        most = {n: min(far, max(witness[n], self._ample(n)) + SLOWEST) for n in self.least}
        return {n: (*(d for d in every[w] if d < most[n]), most[n]) for n, w in self.width.items()}

    def pieces(self, witness: Mapping[str, int]) -> list[Section]:
        """The sections that it falls into when its joins keep to the schedule of the witness."""
        oracle, depths = self.oracle, {name: witness[name] for name in self.least}
        steady = self.steady or (self.joins and oracle.steady(depths, self.joins))
        if not (steady and steady.times):
            return [self]
        machine = fixed_at(oracle.machine, steady.times, oracle.interval_cycles)
        settings = oracle.interval_cycles, self.least, self.width, oracle.budget
        return [Section(part, *settings) for part in sections(machine, oracle.interval_cycles)]

    def at(self, fifos: Iterable[Held]) -> Shrinking | None:
        """FIFOs that hold so much, in the order of its streams, if they keep the interval."""
        mine = dict(zip(self.least, fifos, strict=True))
        depths = {name: sum(held) for name, held in mine.items()}
        slower = {name: latency for name, (_, latency) in mine.items()}
        if not self.oracle.starts(depths, SLOWEST, slower):
            return None
        return Shrinking(self.oracle, mine)

    def shrunk(
        self, witness: Mapping[str, int], goal: Mapping[str, Fifo], steps: Steps, budget: Budget
    ) -> Shrinking | None:
        """Down to the tokens of `goal`, as far as the interval is kept; where the budget ends before
        that, no more memory than the witness takes."""
        width, free = self.width, self.oracle.budget
        start = {n: max(goal[n].tokens, witness[n], self._ample(n)) for n in self.least}
        if not self.oracle.starts(start, SLOWEST):
            return None
        self.oracle.budget = budget
        shrinking = Shrinking(self.oracle, {n: (d, 0) for n, d in start.items()})
        first = {n: held(steps.fifo(d, width[n]))[1] for n, d in start.items()}
        prompt = shrinking.restyle(first)
        far = {n: min(d, GROWTH * max(goal[n].tokens, witness[n])) for n, d in start.items()}
        levels = {
            n: self._levels(steps, n, goal[n], (far[n], start[n]), n in prompt) for n in start
        }
        self._lower(shrinking, {n: fifos for n, fifos in levels.items() if len(fifos) > 1})
        if budget.short and self._bits(shrinking, steps) > self._bits_of(witness, steps):
            self.oracle.budget = free
            return self._as_witnessed(witness)
        return shrinking

    def _as_witnessed(self, witness: Mapping[str, int]) -> Shrinking | None:
        """The tokens of the witness, in FIFOs that add no latency."""
        tokens = {name: witness[name] for name in self.least}
        if not self.oracle.starts(tokens, SLOWEST):
            return None
        return Shrinking(self.oracle, {n: (d, 0) for n, d in tokens.items()})

    def _bits(self, shrinking: Shrinking, steps: Steps) -> int:
        return self._bits_of({n: tokens for n, (tokens, _) in shrinking.held.items()}, steps)

    def _bits_of(self, tokens: Mapping[str, int], steps: Steps) -> int:
        return sum(steps.fifo(tokens[n], width).bits for n, width in self.width.items())

    def _lower(self, shrinking: Shrinking, levels: Mapping[str, list[Fifo]]) -> None:
        """Each FIFO towards its first level, those first of which a share of a frame is dearest."""
        dear = {n: self.width[n] * self.oracle.tokens_per_frame(n) for n in levels}
        lowest = {n: held(levels[n][0]) for n in sorted(levels, key=dear.get, reverse=True)}
        for name in shrinking.change(lowest):
            shrinking.step_by_step(name, [held(fifo) for fifo in levels[name]])

    def _levels(
        self, steps: Steps, name: str, goal: Fifo, ends: tuple[int, int], prompt: bool
    ) -> list[Fifo]:
        """FIFOs from that of the goal up to the first of `ends`, each cheaper than the next, then twice
        as deep each up to the last: few are ever tried there, and to tell them all takes long."""
        (far, last), width = ends, self.width[name]
        make = steps.prompt if prompt else steps.fifo
        deep = itertools.takewhile(lambda n: n < last, (far << k for k in itertools.count(1)))
        tokens = sorted({*steps.levels(goal.tokens, far, width), *deep, last})
        return [make(n, width) for n in (goal.tokens, *(n for n in tokens if n > goal.tokens))]


def held(fifo: Fifo) -> Held:
    """What counts for timing: tokens beside the latency of the style, and that."""
    return fifo.tokens, STYLE_LATENCY_CYCLES[fifo.style]
