"""The search behind fifo.py: a witness, bounds, shrinking, styles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from codesign.board import Board
from codesign.cost.estimate import estimate, interval_of
from codesign.cost.fifo import prices
from codesign.design import STYLE_LATENCY_CYCLES, Design
from codesign.errors import InvariantBroken
from codesign.search.fifo_bounds import AMPLE_FRAMES, Around
from codesign.search.fifo_shrink import Shrinking
from codesign.search.fifo_steps import SLOWEST, Steps
from codesign.search.fifo_styles import as_given, fifos_of, tokens_of
from codesign.search.oracle import Budget, Oracle

# Tokens of the shallowest FIFOs that are tried as a witness, and by how much the next are deeper.
FIRST_TOKENS, GROWTH = 32, 8
# Events to spend on depths that save no memory.
TIDY_EVENTS = 200_000_000
UNLIMITED = 1 << 62


class Bound(NamedTuple):
    """Fewest tokens that may keep the interval, and the most that take up no more memory."""

    tokens: int
    level: int


class FifoSearch:
    """One design on its board."""

    def __init__(self, design: Design, board: Board) -> None:
        self.given, self.board = design, board
        self.interval, _ = interval_of(design, board)
        # Depths of full rate in a chain.
        self.least = {s.name: tokens_of(s) for s in design.streams}
        self.width = {s.name: s.bits for s in design.streams}
        self.plain = fifos_of(design, {n: ("register", d) for n, d in self.least.items()})
        bare = estimate(self.plain, board)
        price = prices(bare.budget + bare.total.scaled(-1), bare.budget)
        self.steps = Steps(board.family, price)
        self.free, self.tidying = Budget(UNLIMITED), Budget(TIDY_EVENTS)
        self.oracle = Oracle(self.plain, board, self.interval, self.free)

    def witness(self) -> dict[str, int]:
        """Tokens that keep the interval: those of full rate where they do, else what is in use in
        the steady state of ever deeper FIFOs."""
        if self.oracle.starts(self.least):
            return self.least
        for depths in self._deeper():
            used = self.oracle.occupancy(depths)
            if used is not None:
                return {name: max(tokens, used[name]) for name, tokens in self.least.items()}
        raise InvariantBroken(
            f"design {self.given.name}: no depth of its FIFOs keeps its interval of "
            f"{self.interval} cycles; a block's program reads and writes in an order that its "
            "neighbours cannot follow",
            design=self.given.name,
        )

    def _deeper(self) -> Iterator[dict[str, int]]:
        """All FIFOs equally deep, deeper and deeper, none deeper than AMPLE_FRAMES frames."""
        most = {n: AMPLE_FRAMES * self.oracle.tokens_per_frame(n) + 2 for n in self.least}
        tokens = FIRST_TOKENS
        while True:
            yield {n: max(self.least[n], min(tokens, most[n])) for n in self.least}
            if tokens >= max(most.values()):
                return
            tokens *= GROWTH

    def bounds(self, witness: Mapping[str, int], budget: Budget) -> dict[str, Bound]:
        """Of each FIFO what no design can go below, as far as memory is concerned."""
        return {name: self._bound(name, witness, budget) for name in witness}

    def _bound(self, name: str, witness: Mapping[str, int], budget: Budget) -> Bound:
        levels = self.levels(name, 1, witness[name])
        if len(levels) == 1:
            return Bound(1, levels[0])
        depths = [self.steps.fifo(tokens, self.width[name])[1] for tokens in levels]
        index = Around(self.oracle.machine, name, witness, budget).bound(depths, self.interval)
        return Bound(levels[index - 1] + 1 if index else 1, levels[index])

    def levels(self, name: str, low: int, high: int) -> tuple[int, ...]:
        """Tokens at which the memory of this FIFO gets larger."""
        return self.steps.levels(low, high, self.width[name])

    def bits(self, tokens: Mapping[str, int]) -> int:
        """Bits of memory of all FIFOs."""
        return sum(self.steps.bits(tokens[name], width) for name, width in self.width.items())

    def shrunk(
        self, witness: Mapping[str, int], bounds: Mapping[str, Bound], budget: Budget
    ) -> Design:
        """Tokens towards `bounds`; what costs the same memory is as in the witness, or less."""
        roomy = {n: self.steps.top(tokens, self.width[n]) for n, tokens in witness.items()}
        start = next((t for t in (roomy, witness) if self.oracle.starts(t, spare=SLOWEST)), None)
        if start is None:
            return self.plainly(witness)
        self.oracle.budget = budget
        shrinking = Shrinking(self.oracle, start, self._extra)
        self._shrink(shrinking, {name: bound.level for name, bound in bounds.items()})
        self._tidy(shrinking)
        self.oracle.budget = self.free
        return as_given(self.given, self._styled(shrinking), self.board, self.oracle)

    def _shrink(self, shrinking: Shrinking, lowest: Mapping[str, int]) -> None:
        """Styles, then all FIFOs at once, then in parts and step by step."""
        shrinking.slow_down()
        levels = self._open(shrinking, lowest)
        if levels:
            shrinking.level_off(levels)
        levels = self._open(shrinking, lowest)
        for name in shrinking.to_the_bottom(levels, lambda n: self._saving(n, levels[n])):
            shrinking.step_by_step(name, levels[name])

    def _open(self, shrinking: Shrinking, lowest: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
        """Levels of the FIFOs that may still take up less memory."""
        levels = {n: self.levels(n, lowest[n], tokens) for n, tokens in shrinking.tokens.items()}
        return {name: steps for name, steps in levels.items() if len(steps) > 1}

    def _extra(self, name: str, tokens: int) -> int:
        return STYLE_LATENCY_CYCLES[self.steps.fifo(tokens, self.width[name])[0]]

    def _saving(self, name: str, levels: Sequence[int]) -> int:
        width = self.width[name]
        return self.steps.bits(levels[-1], width) - self.steps.bits(levels[0], width)

    def _tidy(self, shrinking: Shrinking) -> None:
        """Depths of full rate where they do: no memory is saved, but shorter counters."""
        self.oracle.budget = self.tidying
        least = {n: (d,) for n, d in self.least.items() if d < shrinking.tokens[n]}
        for _ in shrinking.to_the_bottom(least):
            pass

    def _styled(self, shrinking: Shrinking) -> Design:
        def fifo(name: str) -> tuple[str, int]:
            pick = self.steps.fifo if name in shrinking.slow else self.steps.prompt
            return pick(shrinking.tokens[name], self.width[name])

        return fifos_of(self.plain, {name: fifo(name) for name in shrinking.tokens})

    def plainly(self, tokens: Mapping[str, int]) -> Design:
        """With styles that add no latency."""
        fifos = {n: self.steps.prompt(tokens[n], width) for n, width in self.width.items()}
        return fifos_of(self.plain, fifos)

    def proven(self, design: Design) -> bool:
        """True when an idle machine of `design` settles at the interval."""
        return Oracle(design, self.board, self.interval, self.free).starts({})
