"""`python -m codesign.sim.bench`: simulated cycles per second of the engine and of the stepper.

Both run CNV; every token time that the stepper reached is compared with the engine's first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from codesign.board import load_board
from codesign.sim import reference
from codesign.sim.cnv import cnv_design
from codesign.sim.encode import Code, encode
from codesign.sim.engine import State, advance, start
from codesign.sim.machine import Machine, machine_of
from codesign.sim.simulate import simulate

FRAMES = 50
STEPPED_CYCLES = 20_000


@dataclass(frozen=True)
class Speed:
    """`cycles` simulated in `seconds`."""

    cycles: int
    seconds: float

    @property
    def cycles_per_s(self) -> float:
        """Simulated cycles per second."""
        return self.cycles / self.seconds


def main(board_name: str = "pynq-z1") -> None:
    """Print the figures of docs/results/simulator.md."""
    board = load_board(board_name)
    design = cnv_design(board)
    machine = machine_of(design, board)
    code = encode(machine)
    simulate(design, board)  # compiles, or loads from the cache
    seconds, result = timed(lambda: simulate(design, board))
    engine = engine_speed(code)
    events = sum(p.events_per_frame for p in machine.processes.values())
    tokens = int(code.tokens_per_frame.sum())
    print(f"CNV on {board.name}: {len(machine.processes)} processes, {len(code.depth)} channels")
    print(f"one frame: {events:,} events, {tokens:,} tokens, {2 * tokens:,} timestamps")
    print(f"interval {result.interval_cycles:,.0f} cycles, latency {result.latency_cycles:,}")
    print(f"simulate(), certificate, marks and timeline included: {1e3 * seconds:.1f} ms")
    print(f"engine: {engine.cycles:,} cycles in {engine.seconds:.3f} s", end=", ")
    print(f"{engine.cycles_per_s:,.0f} cycles/s, {events * FRAMES / engine.seconds:,.0f} events/s")
    stepper, run = stepper_speed(machine)
    print(f"stepper: {stepper.cycles:,} cycles in {stepper.seconds:.1f} s", end=", ")
    print(f"{stepper.cycles_per_s:,.0f} cycles/s")
    print(f"equal timestamps: {compared(machine, code, run):,}")
    print(f"ratio: {engine.cycles_per_s / stepper.cycles_per_s:,.0f}")


def engine_speed(code: Code) -> Speed:
    """The engine over FRAMES frames, best of five."""
    runs = [timed(lambda: _run(code)) for _ in range(5)]
    seconds, state = min(runs, key=lambda run: run[0])
    return Speed(int(state.time.max()) + 1, seconds)


def _run(code: Code) -> State:
    state = start(code)
    advance(code, state, FRAMES)
    return state


def stepper_speed(machine: Machine) -> tuple[Speed, reference.Stepped]:
    """The stepper over STEPPED_CYCLES cycles."""
    seconds, run = timed(lambda: reference.step(machine, 1, STEPPED_CYCLES))
    return Speed(run.cycles, seconds), run


def compared(machine: Machine, code: Code, run: reference.Stepped) -> int:
    """How many timestamps of the stepper equal the engine's; raises SystemExit where one differs."""
    state = start(code, code.tokens_per_frame)
    advance(code, state, 1)
    count = 0
    for c, channel in enumerate(machine.channels):
        fifo, base = run.fifos[channel.name], state.base[c]
        pairs = ((state.write_time, fifo.writes), (state.release_time, fifo.releases))
        for found, expected in pairs:
            if found[base : base + len(expected)].tolist() != expected:
                raise SystemExit(f"engine and stepper differ on channel {channel.name}")
            count += len(expected)
    return count


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """(seconds of processor time, result) of `work`."""
    begin = time.process_time()
    result = work()
    return time.process_time() - begin, result


if __name__ == "__main__":
    main()
