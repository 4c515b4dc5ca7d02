"""Times of every token, from the engine and from the naive stepper."""

from __future__ import annotations

from codesign.sim import engine, reference
from codesign.sim.encode import encode
from codesign.sim.machine import Machine

Times = dict[str, tuple[list[int], list[int]]]


def engine_times(machine: Machine, frames: int) -> tuple[Times, bool]:
    """(write times, release times) per channel, and whether the run ended."""
    code = encode(machine)
    state = engine.start(code, code.tokens_per_frame * frames)
    ended = engine.advance(code, state, frames)
    times = {}
    for c, channel in enumerate(machine.channels):
        base = state.base[c]
        times[channel.name] = (
            state.write_time[base : base + state.written[c]].tolist(),
            state.release_time[base : base + state.released[c]].tolist(),
        )
    return times, ended


def reference_times(machine: Machine, frames: int) -> tuple[Times, bool]:
    """The same from the naive stepper."""
    run = reference.step(machine, frames)
    return {name: (f.writes, f.releases) for name, f in run.fifos.items()}, run.finished


def assert_same(machine: Machine, frames: int, what: object) -> bool:
    """Compare every time of every token; True when the machine ran to its end."""
    found, ended = engine_times(machine, frames)
    expected, finished = reference_times(machine, frames)
    assert ended == finished, f"{what}: engine ended {ended}, stepper {finished}"
    for name in expected:
        assert found[name] == expected[name], f"{what}, channel {name}"
    return ended
