"""The search behind fifo.py: a witness, bounds, the design of the bounds, shrinking towards it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from codesign.board import Board
from codesign.cost.estimate import estimate, interval_of
from codesign.design import STYLE_LATENCY_CYCLES, Design
from codesign.errors import InvariantBroken
from codesign.search.fifo_cuts import Cuts
from codesign.search.fifo_master import Budgeted, Master, cheapest, fits
from codesign.search.fifo_parts import AMPLE_FRAMES, Parts
from codesign.search.fifo_shrink import Held, Shrinking
from codesign.search.fifo_steps import SLOWEST, Fifo, Steps
from codesign.search.fifo_styles import fifos_of, tokens_of
from codesign.search.options import vector
from codesign.search.oracle import Budget, Oracle

# Tokens of the shallowest FIFOs that are tried as a witness, and by how much the next are deeper.
FIRST_TOKENS, GROWTH = 32, 8
# Events to spend on depths that save no memory.
TIDY_EVENTS = 200_000_000
UNLIMITED = 1 << 62
# Rounds of cuts; the share by which the bound must rise in some rounds whose program needs a search; and
# the share of the budget that a frame of one simulated part may take.
MOST_ROUNDS, RISE, RISING_ROUNDS, PART = 400, 0.002, 12, 1 / 200
# Rounds of choosing styles anew for depths that are proven.
STYLE_ROUNDS = 3


@dataclass(frozen=True)
class Bounds:
    """What no design can go below: `least` slots of each FIFO alone, `best` of all together.

    `best` has least memory among those that satisfy all cuts; `prices` are bits for one more of each
    count. `complete` says that no part of the machine refutes it.
    """

    least: dict[str, int]
    best: Budgeted
    prices: tuple[float, ...]
    complete: bool


class FifoSearch:
    """One design on its board; with `full_rate` no FIFO is shallower than the design has it."""

    def __init__(self, design: Design, board: Board, full_rate: bool = False) -> None:
        self.given, self.board, self.full_rate = design, board, full_rate
        self.interval, _ = interval_of(design, board)
        # Depths of full rate in a chain.
        self.least = {s.name: tokens_of(s) for s in design.streams}
        self.width = {s.name: s.bits for s in design.streams}
        self.plain = fifos_of(design, {n: ("register", d) for n, d in self.least.items()})
        budget = board.budget()
        self.kinds = tuple(budget.flat())
        share = tuple(1 / n if n > 0 else 0.0 for n in vector(budget, self.kinds).tolist())
        self.steps = Steps(board.family, self.kinds, (0.0,) * len(share), share)
        self.free, self.tidying = Budget(UNLIMITED), Budget(TIDY_EVENTS)
        self.oracle = Oracle(self.plain, board, self.interval, self.free)

    @cached_property
    def left(self) -> list[float]:
        """What the blocks leave of the budget."""
        parts = estimate(self.plain, self.board).parts
        blocks = sum(vector(p.resources, self.kinds) for p in parts if p.kind == "block")
        return (vector(self.board.budget(), self.kinds) - blocks).tolist()

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

    def bounds(self, witness: Mapping[str, int], budget: Budget) -> Bounds:
        """Bounds of each FIFO, then of all together, cut by cut, until none is violated."""
        cuts = self._cuts(witness, budget)
        floor = self.least if self.full_rate else dict.fromkeys(self.least, 1)
        least = {name: max(floor[name], cuts.least(name)) for name in self.width}
        master = Master(self.steps, self.width, dict(least), self.left)
        best, done = self._cut(cuts, master, budgeted=False)
        if fits(best.fifos, self.left):
            return Bounds(least, replace(best, fits=True), self.steps.price, done)
        best, done = self._cut(cuts, master, budgeted=True)
        return Bounds(least, best, master.prices(), done)

    def _cut(self, cuts: Cuts, master: Master, budgeted: bool) -> tuple[Budgeted, bool]:
        """The best FIFOs that no further cut refutes; False where rounds that gain little end it."""
        hard: list[float] = []
        for _ in range(MOST_ROUNDS):
            best = master.solve(budgeted)
            found = cuts.found({name: fifo.depth for name, fifo in best.fifos.items()})
            hard += [best.bound_bits] * (best.nodes > 1)
            if not found or _settled(hard):
                return best, not found
            for cut in found:
                master.add(cut)
        return master.solve(budgeted), False

    def _cuts(self, witness: Mapping[str, int], budget: Budget) -> Cuts:
        parts = Parts(self.oracle.machine, self.width, self.interval, budget)
        levels = {
            n: self.steps.depths(1, tokens + SLOWEST, self.width[n])
            for n, tokens in witness.items()
        }

        def bits(name: str, depth: int) -> int:
            return min(f.bits for f in self.steps.of_depth(depth, self.width[name]))

        return Cuts(parts, levels, bits, int(budget.most * PART))

    def bits(self, tokens: Mapping[str, int]) -> int:
        """Least bits of memory of FIFOs that hold so many tokens, in any budget."""
        return sum(self.steps.fifo(tokens[name], w).bits for name, w in self.width.items())

    def sized(self, witness: Mapping[str, int], bounds: Bounds, budget: Budget) -> Design:
        """The design of the bounds where it keeps the interval, else the witness shrunk towards it."""
        goal = bounds.best.fifos
        shrinking = self._at(goal) or self._shrunk(witness, goal, bounds.prices, budget)
        if shrinking is None:
            return self.plainly(witness)
        self._tidy(shrinking)
        self.oracle.budget = self.free
        fifos = self._styles(shrinking)
        return fifos_of(self.plain, {n: (f.style, f.depth) for n, f in fifos.items()})

    def _at(self, fifos: Mapping[str, Fifo]) -> Shrinking | None:
        """These FIFOs, if they keep the interval."""
        depths = {name: fifo.depth for name, fifo in fifos.items()}
        slower = {name: held(fifo)[1] for name, fifo in fifos.items()}
        if not self.oracle.starts(depths, SLOWEST, slower):
            return None
        return Shrinking(self.oracle, {n: held(f) for n, f in fifos.items()})

    def _shrunk(
        self,
        witness: Mapping[str, int],
        goal: Mapping[str, Fifo],
        prices: tuple[float, ...],
        budget: Budget,
    ) -> Shrinking | None:
        """From the witness down to the tokens of `goal`, as far as the interval is kept."""
        steps = replace(self.steps, price=prices)
        start = {n: max(goal[n].tokens, steps.top(d, self.width[n])) for n, d in witness.items()}
        if not self.oracle.starts(start, SLOWEST):
            return None
        self.oracle.budget = budget
        shrinking = Shrinking(self.oracle, {n: (d, 0) for n, d in start.items()})
        first = {n: held(steps.fifo(d, self.width[n]))[1] for n, d in start.items()}
        prompt = shrinking.restyle(first)
        levels = {n: self._levels(steps, n, f, start[n], n in prompt) for n, f in goal.items()}
        self._lower(shrinking, {n: fifos for n, fifos in levels.items() if len(fifos) > 1})
        return shrinking

    def _levels(self, steps: Steps, name: str, goal: Fifo, tokens: int, prompt: bool) -> list[Fifo]:
        """FIFOs from that of the goal up to `tokens`, each cheaper than the next."""
        width, make = self.width[name], steps.prompt if prompt else steps.fifo
        more = [make(n, width) for n in steps.levels(goal.tokens, tokens, width)]
        return [make(goal.tokens, width), *(f for f in more if f.tokens > goal.tokens)]

    def _lower(self, shrinking: Shrinking, levels: Mapping[str, list[Fifo]]) -> None:
        """Each FIFO towards its first level, those together first that save most."""
        saving = {name: fifos[-1].bits - fifos[0].bits for name, fifos in levels.items()}
        lowest = {name: held(fifos[0]) for name, fifos in levels.items()}
        for name in shrinking.change(lowest, saving.__getitem__):
            shrinking.step_by_step(name, [held(fifo) for fifo in levels[name]])

    def _tidy(self, shrinking: Shrinking) -> None:
        """Depths of full rate where they do: no memory is saved, but shorter counters."""
        self.oracle.budget = self.tidying
        now = shrinking.held
        least = {n: (d, now[n][1]) for n, d in self.least.items() if d < now[n][0]}
        for _ in shrinking.change(least):
            pass

    def _styles(self, shrinking: Shrinking) -> dict[str, Fifo]:
        """Of depths that are proven the FIFOs of least bits within the budget, proven as well."""
        fixed: set[str] = set()
        for _ in range(STYLE_ROUNDS):
            options = {n: self._ways(n, *shrinking.held[n], n in fixed) for n in self.width}
            fifos = cheapest(options, (), self.left, self.steps.share).fifos
            fixed |= shrinking.restyle({n: held(f)[1] for n, f in fifos.items()})
            if all(held(f) == shrinking.held[n] for n, f in fifos.items()):
                return fifos
        return {n: self._ways(n, *shrinking.held[n], True)[0] for n in self.width}

    def _ways(self, name: str, tokens: int, latency: int, fixed: bool) -> list[Fifo]:
        """Of so many tokens, of that latency only if it is `fixed`; the cheapest of it first."""
        every = self.steps.holding(tokens, self.width[name], SLOWEST)
        now = [f for f in every if held(f)[1] == latency]
        return now if fixed else [*now, *(f for f in every if held(f)[1] != latency)]

    def plainly(self, tokens: Mapping[str, int]) -> Design:
        """With styles that add no latency."""
        fifos = {n: self.steps.prompt(tokens[n], width) for n, width in self.width.items()}
        return fifos_of(self.plain, {n: (f.style, f.depth) for n, f in fifos.items()})

    def proven(self, design: Design) -> bool:
        """True when an idle machine of `design` settles at the interval."""
        return Oracle(design, self.board, self.interval, self.free).starts({})


def held(fifo: Fifo) -> Held:
    """What counts for timing: tokens beside the latency of the style, and that."""
    return fifo.tokens, STYLE_LATENCY_CYCLES[fifo.style]


def _settled(bounds: list[float]) -> bool:
    """Whether the bound has risen so little of late that more rounds are not worth it."""
    if len(bounds) <= RISING_ROUNDS:
        return False
    return bounds[-1] <= bounds[-1 - RISING_ROUNDS] * (1 + RISE)
