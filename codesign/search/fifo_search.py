"""The search behind fifo.py: a witness, bounds, the design of the bounds, shrinking towards it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from codesign.board import Board
from codesign.cost.estimate import estimate, interval_of
from codesign.design import Design
from codesign.errors import InvariantBroken
from codesign.search.fifo_cuts import Cuts
from codesign.search.fifo_master import Best, Master, cheapest, fits
from codesign.search.fifo_parts import Parts
from codesign.search.fifo_section import Section, held
from codesign.search.fifo_shrink import Held, Shrinking
from codesign.search.fifo_split import sections
from codesign.search.fifo_steps import SLOWEST, Fifo, Steps
from codesign.search.fifo_styles import fifos_of, tokens_of
from codesign.search.options import vector
from codesign.search.oracle import Budget, Oracle
from codesign.sim.machine import machine_of

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

    `best` has least memory among those that satisfy all cuts, counts at `prices` in bits; `fits` says
    that the budget is not proven to be too small. `complete` says that no part of the machine refutes it.
    """

    least: dict[str, int]
    best: Best
    fits: bool
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
        self.machine = machine_of(self.plain, board)
        self.sections = [
            Section(part, self.interval, self.least, self.width, self.free)
            for part in sections(self.machine, self.interval)
        ]

    @cached_property
    def oracle(self) -> Oracle:
        """That of the whole machine."""
        return Oracle(self.machine, self.interval, self.free)

    @cached_property
    def left(self) -> list[float]:
        """What all but the FIFOs leaves of the budget."""
        parts = estimate(self.plain, self.board).parts
        taken = sum(vector(p.resources, self.kinds) for p in parts if p.kind != "stream")
        return (vector(self.board.budget(), self.kinds) - taken).tolist()

    def witness(self) -> dict[str, int]:
        """Tokens that keep the interval, section by section."""
        found = [section.witness() for section in self.sections]
        if None not in found:
            return {name: tokens for depths in found for name, tokens in depths.items()}
        raise InvariantBroken(
            f"design {self.given.name}: no depth of its FIFOs keeps its interval of "
            f"{self.interval} cycles; a block's program reads and writes in an order that its "
            "neighbours cannot follow",
            design=self.given.name,
        )

    def bounds(self, witness: Mapping[str, int], budget: Budget) -> Bounds:
        """Bounds of each FIFO, then of all together, cut by cut, until none is violated."""
        cuts = self._cuts(witness, budget)
        floor = self.least if self.full_rate else dict.fromkeys(self.least, 1)
        least = {n: max(floor[n], some.least(n)) for some in cuts for n in some.parts.streams}
        master = Master(self.steps, self.width, dict(least), self.left)
        best, done = _cut(cuts, master)
        if fits(best.fifos, self.left):
            return Bounds(least, best, True, self.steps.price, done)
        fit = master.pay()
        if fit:
            priced, done = _cut(cuts, master)
            fifos = master.affordable() or priced.fifos
            best = replace(priced, fifos=fifos, bound_bits=max(best.bound_bits, priced.bound_bits))
        return Bounds(least, best, fit, master.steps.price, done)

    def _cuts(self, witness: Mapping[str, int], budget: Budget) -> list[Cuts]:
        def bits(name: str, depth: int) -> int:
            return min(f.bits for f in self.steps.of_depth(depth, self.width[name]))

        most = int(budget.most * PART)
        return [
            Cuts(
                Parts(s.oracle.machine, s.least, self.interval, budget),
                s.levels(witness, self.steps),
                bits,
                most,
            )
            for s in self.sections
            if s.least
        ]

    def bits(self, tokens: Mapping[str, int]) -> int:
        """Least bits of memory of FIFOs that hold so many tokens, in any budget."""
        return sum(self.steps.fifo(tokens[name], w).bits for name, w in self.width.items())

    def sized(self, witness: Mapping[str, int], bounds: Bounds, budget: Budget) -> Design:
        """The design of the bounds where it keeps the interval, else the witness shrunk towards it;
        the witness itself where the whole machine does not."""
        goal = bounds.best.fifos
        steps = replace(self.steps, price=bounds.prices)
        found = [
            shrinking
            for section in self.sections
            for shrinking in _shrunk(section, witness, goal, steps, budget)
        ]
        if None in found:
            return self.plainly(witness)
        for shrinking in found:
            shrinking.oracle.budget = self.tidying
            self._tidy(shrinking)
            shrinking.oracle.budget = self.free
        fifos = self._styles(found)
        design = fifos_of(self.plain, {n: (f.style, f.depth) for n, f in fifos.items()})
        return design if self._proven(design, _ends(found)) else self.plainly(witness)

    def _tidy(self, shrinking: Shrinking) -> None:
        """Depths of full rate where they do: no memory is saved, but shorter counters."""
        now = shrinking.held
        least = {n: (self.least[n], c) for n, (d, c) in now.items() if self.least[n] < d}
        for _ in shrinking.change(least):
            pass

    def _styles(self, found: Sequence[Shrinking]) -> dict[str, Fifo]:
        """Of depths that are proven the FIFOs of least bits within the budget, proven as well."""
        fixed: set[str] = set()
        for _ in range(STYLE_ROUNDS):
            now = _merged(found)
            options = {n: self._ways(n, *now[n], n in fixed) for n in self.width}
            fifos = cheapest(options, self.left, self.steps.share)
            for shrinking in found:
                fixed |= shrinking.restyle({n: held(fifos[n])[1] for n in shrinking.held})
            now = _merged(found)
            if all(held(f) == now[n] for n, f in fifos.items()):
                return fifos
        return {n: self._ways(n, *now[n], True)[0] for n in self.width}

    def _ways(self, name: str, tokens: int, latency: int, fixed: bool) -> list[Fifo]:
        """Of so many tokens, of that latency only if it is `fixed`; the cheapest of it first."""
        every = self.steps.holding(tokens, self.width[name], SLOWEST)
        now = [f for f in every if held(f)[1] == latency]
        return now if fixed else [*now, *(f for f in every if held(f)[1] != latency)]

    def plainly(self, tokens: Mapping[str, int]) -> Design:
        """With styles that add no latency."""
        fifos = {n: self.steps.prompt(tokens[n], width) for n, width in self.width.items()}
        return fifos_of(self.plain, {n: (f.style, f.depth) for n, f in fifos.items()})

    def _proven(self, design: Design, ends: Mapping[str, int]) -> bool:
        """True when an idle machine of `design` settles at the interval, or one whose processes are as
        late as in the steady state of their sections, which takes fewer frames."""
        oracle = Oracle(machine_of(design, self.board), self.interval, self.free)
        return oracle.starts({}, ends=ends) or oracle.starts({})


def _shrunk(
    section: Section,
    witness: Mapping[str, int],
    goal: Mapping[str, Fifo],
    steps: Steps,
    budget: Budget,
) -> list[Shrinking | None]:
    """FIFOs of the goal where they keep the interval, else those of the witness, shrunk towards it."""
    whole = section.at(_goals(section, goal))
    if whole:
        return [whole]
    pieces = section.pieces(witness)
    if pieces == [section]:
        return [section.shrunk(witness, goal, steps, budget)]
    return list(_one_by_one(pieces, witness, goal, steps, budget))


def _one_by_one(
    pieces: Sequence[Section],
    witness: Mapping[str, int],
    goal: Mapping[str, Fifo],
    steps: Steps,
    budget: Budget,
) -> Iterator[Shrinking | None]:
    """The same for each piece; networks repeat blocks, so what one holds is tried in the next like it."""
    found: dict[object, tuple[Held, ...]] = {}
    for piece in pieces:
        goals = _goals(piece, goal)
        look = tuple(goals), tuple(piece.least.values()), tuple(piece.width.values())
        done = piece.at(goals) or (look in found and piece.at(found[look]))
        done = done or piece.shrunk(witness, goal, steps, budget)
        if done:
            found[look] = tuple(done.held.values())
        yield done


def _goals(section: Section, goal: Mapping[str, Fifo]) -> list[Held]:
    return [held(goal[name]) for name in section.least]


def _ends(found: Sequence[Shrinking]) -> dict[str, int]:
    """When processes end a frame in the steady state, section after section; neighbours share one."""
    ends: dict[str, int] = {}
    for shrinking in found:
        alone = shrinking.oracle.ends()
        shift = max((ends[n] - end for n, end in alone.items() if n in ends), default=0)
        ends |= {n: end + shift for n, end in alone.items()}
    return ends


def _merged(found: Sequence[Shrinking]) -> dict[str, Held]:
    return {name: held for shrinking in found for name, held in shrinking.held.items()}


def _cut(cuts: Sequence[Cuts], master: Master) -> tuple[Best, bool]:
    """The best FIFOs that no further cut refutes; False where rounds that gain little end it."""
    hard: list[float] = []
    for _ in range(MOST_ROUNDS):
        best = master.solve()
        depths = {name: fifo.depth for name, fifo in best.fifos.items()}
        found = [cut for some in cuts for cut in some.found(depths)]
        hard += [best.bound_bits] * (best.nodes > 1)
        if not found or _settled(hard):
            return best, not found and all(some.complete for some in cuts)
        for cut in found:
            master.add(cut)
    return master.solve(), False


def _settled(bounds: list[float]) -> bool:
    """Whether the bound has risen so little of late that more rounds are not worth it."""
    if len(bounds) <= RISING_ROUNDS:
        return False
    return bounds[-1] <= bounds[-1 - RISING_ROUNDS] * (1 + RISE)
