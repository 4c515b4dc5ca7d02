"""Why a machine is stuck, and which depth frees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from codesign.errors import Deadlock
from codesign.sim.encode import Code, encode
from codesign.sim.engine import State, advance, start

if TYPE_CHECKING:
    from codesign.sim.machine import Machine


class Wait(msgspec.Struct, frozen=True):
    """`process` waits at `channel`: for a token ("empty") or for space ("full")."""

    process: str
    channel: str
    depth: int
    reason: str

    def __str__(self) -> str:
        return f"{self.process} waits at {self.channel} ({self.reason}, depth {self.depth})"


@dataclass(frozen=True)
class Stuck:
    """A stuck machine: the cycle of waits, and how many tokens were written until then."""

    cycle: tuple[Wait, ...]
    tokens: int

    @property
    def full(self) -> tuple[str, ...]:
        """Channels of the cycle in which more depth could help."""
        return tuple(wait.channel for wait in self.cycle if wait.reason == "full")


def explain(machine: Machine) -> Deadlock:
    """The error for a machine that cannot finish a frame.

    Its fields: `cycle` (the waits), `fix` (depths that free it: each the least, the others given).
    """
    stuck = stuck_in(machine)
    fix = freeing_depths(machine)
    depths = {c.name: c.depth for c in machine.channels}
    cure = (
        "raise the depth of " + ", ".join(f"{c} from {depths[c]} to {d}" for c, d in fix.items())
        if fix
        else "no FIFO depth helps: the processes wait for each other's tokens"
    )
    waits = "; ".join(map(str, stuck.cycle))
    return Deadlock(
        f"the machine stops for ever, every stage of a cycle must be able to go on: {waits}; {cure}",
        cycle=[msgspec.structs.asdict(wait) for wait in stuck.cycle],
        fix=fix,
    )


def stuck_in(machine: Machine) -> Stuck | None:
    """The cycle of waits that stops `machine` within its first frame, None where it lives.

    Every frame ends with empty channels, so what completes one frame completes every frame.
    """
    code = encode(machine)
    state = start(code)
    if advance(code, state, 1):
        return None
    names = tuple(machine.processes)
    process = next(p for p in range(len(names)) if state.frame[p] == 0)
    path: list[int] = []
    while process not in path:
        path.append(process)
        process = _awaited(code, state, process)
    cycle = path[path.index(process) :]
    return Stuck(tuple(_wait(machine, code, state, p) for p in cycle), int(state.written.sum()))


def _awaited(code: Code, state: State, process: int) -> int:
    """The process at the other end of the channel that `process` waits at."""
    channel = state.waits_for[process]
    return int(code.source[channel] if _starves(code, state, process) else code.target[channel])


def _starves(code: Code, state: State, process: int) -> bool:
    """True when `process` waits for a token, False when for space."""
    channel = state.waits_for[process]
    if code.target[channel] != process:
        return False
    return code.source[channel] != process or state.awaited[process] > state.written[channel]


def _wait(machine: Machine, code: Code, state: State, process: int) -> Wait:
    channel = machine.channels[state.waits_for[process]]
    reason = "empty" if _starves(code, state, process) else "full"
    return Wait(tuple(machine.processes)[process], channel.name, channel.depth, reason)


def freeing_depths(machine: Machine) -> dict[str, int]:
    """Depths that let a stuck machine live, each the least with the others as returned.

    Of the full channels of a cycle the one that needs the smallest increase is taken; where no
    single one is enough, the one that gets furthest, and then the next cycle. Empty: none helps.
    """
    tokens = encode(machine).tokens_per_frame
    ample = {c.name: c.depth + int(n) for c, n in zip(machine.channels, tokens, strict=True)}
    fix: dict[str, int] = {}
    while (stuck := stuck_in(machine.with_depths(fix))) is not None:
        candidates = [c for c in stuck.full if c not in fix]
        if not candidates:
            return {}
        trials = {c: stuck_in(machine.with_depths(fix | {c: ample[c]})) for c in candidates}
        enough = [c for c, trial in trials.items() if trial is None]
        if not enough:
            best = max(candidates, key=lambda c: trials[c].tokens)
            fix[best] = ample[best]
            continue
        least = {c: _least(machine, fix, c, ample[c]) for c in enough}
        best = min(enough, key=lambda c: least[c] - _depth(machine, c))
        fix[best] = least[best]
    for channel, depth in tuple(fix.items()):
        fix[channel] = _least(machine, fix, channel, depth)
    return {c: d for c, d in fix.items() if d > _depth(machine, c)}


def _depth(machine: Machine, channel: str) -> int:
    return next(c.depth for c in machine.channels if c.name == channel)


def _least(machine: Machine, others: dict[str, int], channel: str, enough: int) -> int:
    """Least depth of `channel` that lives with `others`; `enough` is known to."""
    low, high = _depth(machine, channel), enough
    while low < high:
        middle = (low + high) // 2
        lives = stuck_in(machine.with_depths(others | {channel: middle})) is None
        low, high = (low, middle) if lives else (middle + 1, high)
    return low
