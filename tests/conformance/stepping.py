"""A naive reading of the law of the stream, cycle by cycle and token by token, for one block.

Independent of codesign/sim: it expands the programs into single events and keeps explicit FIFOs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from codesign.blocks.base import Block
from codesign.program import Process, Program


@dataclass
class Event:
    """One event: needs (port, offset), releases (port, count), writes, gap."""

    needs: list[tuple[str, int]]
    releases: dict[str, int]
    writes: tuple[str, ...]
    gap: int


def events(process: Process) -> list[Event]:
    """All events of one frame, one by one."""
    result = []
    for loop in process.loops:
        for _ in range(loop.repeat):
            for segment in loop.segments:
                for i in range(segment.count):
                    last = i == segment.count - 1
                    needs = [(r.port, r.offset + i * r.step) for r in segment.reads]
                    released = {
                        r.port: r.release + (r.release_last if last else 0) for r in segment.reads
                    }
                    first = segment.first_gap if i == 0 and segment.first_gap else segment.gap
                    result.append(Event(needs, released, segment.writes, first))
    return result


@dataclass
class Fifo:
    """Tokens with the cycle they become readable, and slots with the cycle they become writable."""

    depth: float
    latency: int
    tokens: list[tuple[object, int]] = field(default_factory=list)
    released: int = 0
    written: int = 0
    release_times: list[int] = field(default_factory=list)

    def space(self, now: int) -> bool:
        """True when token number `written` has a slot in cycle `now`."""
        slot = self.written - self.depth
        if slot < 0:
            return True
        return slot < self.released and self.release_times[int(slot)] + 1 <= now

    def readable(self, offset: int, now: int) -> bool:
        """True when the token `offset` behind the first unreleased one can be read."""
        place = self.released + offset
        return place < len(self.tokens) and self.tokens[place][1] <= now


@dataclass
class Run:
    """What a block did: tokens it wrote and released per port, and the cycle of each event."""

    fifos: dict[str, Fifo]
    fires: dict[str, list[int]]
    taken: dict[str, list[object]]


def run(block: Block, frames: int, program: Program | None = None, limit: int = 10**6) -> Run:
    """Step `block` over `frames` frames with an endless source and sink.

    Input tokens are (port, number); a process writes the token it needed first (so a window's
    output is the list of tokens its events looked at).
    """
    program = program or block.program()
    fifos = {f"in{i}": Fifo(float("inf"), 1) for i in range(len(block.inputs()))}
    for i, port in enumerate(block.inputs()):
        count = port.beats_per_frame * frames
        fifos[f"in{i}"].tokens = [((f"in{i}", k), 0) for k in range(count)]
    fifos |= {f"out{i}": Fifo(float("inf"), 1) for i in range(len(block.outputs()))}
    fifos |= {c.name: Fifo(c.depth, c.forward_latency_cycles) for c in program.channels}
    todo = {p.name: events(p) * frames for p in program.processes}
    state = Run(fifos, {n: [] for n in todo}, {n: [] for n in todo})
    for now in range(limit):
        ready = [n for n, es in todo.items() if _fires(es, state, n, now)]
        for name in ready:
            _fire(todo[name][len(state.fires[name])], state, name, now)
        if all(len(state.fires[n]) == len(es) for n, es in todo.items()):
            return state
    raise AssertionError(f"{block.name}: no end after {limit} cycles")


def _fires(program: list[Event], state: Run, name: str, now: int) -> bool:
    done = state.fires[name]
    if len(done) == len(program):
        return False
    event = program[len(done)]
    if done and now < done[-1] + event.gap:
        return False
    return all(state.fifos[p].readable(k, now) for p, k in event.needs) and all(
        state.fifos[p].space(now) for p in event.writes
    )


def _fire(event: Event, state: Run, name: str, now: int) -> None:
    seen = [state.fifos[p].tokens[state.fifos[p].released + k][0] for p, k in event.needs]
    state.fires[name].append(now)
    state.taken[name].append(seen[0] if seen else None)
    for port in event.writes:
        fifo = state.fifos[port]
        fifo.tokens.append((seen[0] if seen else None, now + fifo.latency))
        fifo.written += 1
    for port, count in event.releases.items():
        fifo = state.fifos[port]
        assert fifo.released + count <= len(fifo.tokens), f"{name} releases what is not written"
        fifo.released += count
        fifo.release_times += [now] * count


def interval_cycles(block: Block, state: Run, frames: int) -> int:
    """Cycles between the last outputs of the last two frames."""
    writer = block.program().processes[-1].name
    per_frame = len(state.fires[writer]) // frames
    times = state.fires[writer]
    return times[-1] - times[-1 - per_frame]
