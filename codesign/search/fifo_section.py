"""One section of a machine (fifo_split.py): FIFOs that surely keep the interval, and shrinking them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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

    def witness(self) -> dict[str, int] | None:
        """Tokens that keep the interval: those of full rate where they do, else what is in use in
        the steady state of ever deeper FIFOs; None when none do."""
        if self.oracle.starts(self.least):
            return self.least
        for depths in self._deeper():
            used = self.oracle.occupancy(depths)
            if used is not None:
                return {name: max(tokens, used[name]) for name, tokens in self.least.items()}
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
        far = GROWTH * max(witness[n] for n in self.least)
        most = {n: max(witness[n], min(far, self._ample(n))) + SLOWEST for n in self.least}
        return {n: steps.depths(1, most[n], w) for n, w in self.width.items()}

    def pieces(self, witness: Mapping[str, int]) -> list[Section]:
        """The sections that it falls into when its joins keep to the schedule of the witness."""
        oracle, names = self.oracle, joins(self.oracle.machine)
        depths = {name: witness[name] for name in self.least}
        times = oracle.times(depths, names) if names else None
        if not times:
            return [self]
        machine = fixed_at(oracle.machine, times, oracle.interval_cycles)
        settings = oracle.interval_cycles, self.least, self.width, oracle.budget
        return [Section(part, *settings) for part in sections(machine, oracle.interval_cycles)]

    def at(self, fifos: Mapping[str, Fifo]) -> Shrinking | None:
        """These FIFOs, if they keep the interval."""
        mine = {name: fifos[name] for name in self.least}
        depths = {name: fifo.depth for name, fifo in mine.items()}
        slower = {name: held(fifo)[1] for name, fifo in mine.items()}
        if not self.oracle.starts(depths, SLOWEST, slower):
            return None
        return Shrinking(self.oracle, {n: held(f) for n, f in mine.items()})

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
        levels = {n: self._levels(steps, n, goal[n], d, n in prompt) for n, d in start.items()}
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

    def _levels(self, steps: Steps, name: str, goal: Fifo, tokens: int, prompt: bool) -> list[Fifo]:
        """FIFOs from that of the goal up to `tokens`, each cheaper than the next."""
        width, make = self.width[name], steps.prompt if prompt else steps.fifo
        more = [make(n, width) for n in steps.levels(goal.tokens, tokens, width)]
        return [make(goal.tokens, width), *(f for f in more if f.tokens > goal.tokens)]


def held(fifo: Fifo) -> Held:
    """What counts for timing: tokens beside the latency of the style, and that."""
    return fifo.tokens, STYLE_LATENCY_CYCLES[fifo.style]
