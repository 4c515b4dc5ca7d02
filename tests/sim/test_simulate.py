"""Interval, latency, shares, marks and deadlocks against the naive stepper and known figures."""

from __future__ import annotations

import msgspec
import pytest

from codesign.errors import Deadlock
from codesign.program import Loop, Process, Read, Segment
from codesign.sim import reference
from codesign.sim.deadlock import stuck_in
from codesign.sim.encode import encode
from codesign.sim.host import SINK, SOURCE
from codesign.sim.machine import Channel, Machine
from codesign.sim.results import Simulation
from codesign.sim.run import run
from codesign.sim.simulate import simulate_machine
from tests.sim.machines import random_machine

CLOCK_HZ = 1e8
READ = (Read("in0"),)


def process(name: str, *segments: Segment, repeat: int = 1) -> Process:
    return Process(name, (Loop(repeat, segments),))


def hosted(
    tokens: int, *units: Process, depths: tuple[int, ...], out: int, gaps: tuple[int, int] = (1, 1)
) -> Machine:
    """Host source, `units` in a chain, host sink."""
    source = process(SOURCE, Segment(tokens, writes=("out0",), gap=gaps[0]))
    sink = process(SINK, Segment(out, READ, gap=gaps[1]))
    parts = (source, *units, sink)
    names = [p.name for p in parts]
    ends = zip(names, names[1:], depths, strict=False)
    channels = tuple(Channel(f"{a}>{b}", a, "out0", b, "in0", d) for a, b, d in ends)
    return Machine({p.name: p for p in parts}, channels)


def copies(tokens: int) -> Process:
    return process("copy", Segment(tokens, READ, ("out0",)))


def sequence(sf: int, nf: int, vectors: int) -> Process:
    """A matrix-vector unit of `vectors` vectors."""
    first = Segment(1, READ, ("out0",))
    rest = Segment(nf - 1, writes=("out0",), gap=sf)
    return process("unit", Segment(sf - 1, READ), first, rest, repeat=vectors)


def fork_join(bypass: int) -> Machine:
    """A fork, a stage that takes 10 tokens before it gives one, and a join behind a bypass."""
    late = process(
        "late",
        *(Segment(10, READ), Segment(10, READ, ("out0",)), Segment(10, writes=("out0",))),
    )
    parts = (
        process(SOURCE, Segment(20, writes=("out0",))),
        process("fork", Segment(20, READ, ("out0", "out1"))),
        late,
        process("join", Segment(20, (Read("in0"), Read("in1")), ("out0",))),
        process(SINK, Segment(20, READ)),
    )
    channels = (
        Channel("feed", SOURCE, "out0", "fork", "in0", 2),
        Channel("way", "fork", "out0", "late", "in0", 2),
        Channel("bypass", "fork", "out1", "join", "in1", bypass),
        Channel("back", "late", "out0", "join", "in0", 2),
        Channel("result", "join", "out0", SINK, "in0", 2),
    )
    return Machine({p.name: p for p in parts}, channels)


def test_figures_of_a_unit_behind_the_host() -> None:
    result = simulate_machine(hosted(6, sequence(6, 4, 1), depths=(2, 2), out=4), CLOCK_HZ)
    assert result.interval_cycles == 24  # 6 x 4
    assert result.latency_cycles == 6 + 18 + 1  # last read, three more rows, one FIFO
    assert result.fps == CLOCK_HZ / 24
    unit = result.stages[1]
    assert (unit.name, unit.busy) == ("unit", 1.0)
    assert not result.io_bound


@pytest.mark.parametrize(("gaps", "interval"), [((9, 1), 90), ((1, 13), 130)])
def test_slow_host_binds(gaps: tuple[int, int], interval: int) -> None:
    result = simulate_machine(hosted(10, copies(10), depths=(2, 2), out=10, gaps=gaps), CLOCK_HZ)
    assert result.io_bound
    assert result.interval_cycles == interval
    copy = result.stages[1]
    assert copy.busy == pytest.approx(10 / interval)
    assert (copy.starved > 0.8, copy.blocked > 0.8) == (gaps[0] == 9, gaps[1] == 13)


def test_depth_one_halves_the_frame_rate() -> None:
    result = simulate_machine(hosted(10, copies(10), depths=(1, 2), out=10), CLOCK_HZ)
    assert result.interval_cycles == 20
    assert not result.io_bound


@pytest.mark.parametrize("frames", [1, 2, 7, 40])
def test_extrapolated_total_equals_stepping_every_frame(frames: int) -> None:
    machine = fork_join(12)
    result = simulate_machine(machine, CLOCK_HZ, frames)
    assert result.total_cycles == reference.step(machine, frames).cycles


def test_certified_period_holds_in_a_long_stepped_run() -> None:
    """Every token of every channel comes `cycles` later, `frames` frames on, from `first` on."""
    compared = 0
    for seed in range(120):
        machine = random_machine(seed)
        if stuck_in(machine):
            continue
        period = run(machine, encode(machine), 12).period
        if period is None:
            continue
        fifos = reference.step(machine, period.first + 3 * period.frames).fifos
        for fifo in fifos.values():
            a_frame = len(fifo.writes) // (period.first + 3 * period.frames)
            for times in (fifo.writes, fifo.releases):
                late, early = times[period.first * a_frame :], -period.frames * a_frame
                shifted = [time + period.cycles for time in late[:early]]
                assert late[-early:] == shifted, f"seed {seed}, {fifo.law.name}"
        compared += 1
    assert compared > 20


def occupancy(writes: list[int], releases: list[int]) -> int:
    """Most tokens inside in any cycle, counted cycle by cycle."""
    inside = most = 0
    for now in range(max(releases) + 1):
        inside += writes.count(now)
        most = max(most, inside)
        inside -= releases.count(now)
    return most


@pytest.mark.parametrize("bypass", [11, 12, 40])
def test_high_water_marks_equal_a_count_by_cycle(bypass: int) -> None:
    machine = fork_join(bypass)
    result = simulate_machine(machine, CLOCK_HZ)
    fifos = reference.step(machine, 12).fifos
    for use in result.channels:
        fifo = fifos[use.name]
        assert use.high_water == occupancy(fifo.writes, fifo.releases), use.name


def test_a_huge_fifo_that_never_settles_is_certified_by_pacing() -> None:
    fast = hosted(20, copies(20), sequence(20, 2, 1), depths=(9000, 9000, 2), out=2)
    result = simulate_machine(fast, CLOCK_HZ)
    assert (result.steady, result.interval_cycles) == ("paced", 40)
    assert result.stages[2].busy == 1


def test_deadlock_names_the_cycle_and_the_depth_that_frees_it() -> None:
    with pytest.raises(Deadlock, match="raise the depth of bypass from 2 to 11") as caught:
        simulate_machine(fork_join(2), CLOCK_HZ)
    waits = {(w["process"], w["channel"], w["reason"]) for w in caught.value.fields["cycle"]}
    assert waits == {
        ("fork", "bypass", "full"),
        ("join", "back", "empty"),
        ("late", "way", "empty"),
    }
    assert caught.value.fields["fix"] == {"bypass": 11}
    assert reference.step(fork_join(11), 3).finished
    assert not reference.step(fork_join(10), 3).finished


def test_every_proposed_cure_works_and_is_least() -> None:
    cured = 0
    for seed in range(150):
        machine = random_machine(seed)
        if not stuck_in(machine):
            continue
        with pytest.raises(Deadlock) as caught:
            run(machine, encode(machine), 2)
        fix = caught.value.fields["fix"]
        assert fix
        assert reference.step(machine.with_depths(fix), 3).finished, f"seed {seed}"
        for channel, depth in fix.items():
            less = machine.with_depths(fix | {channel: depth - 1})
            assert not reference.step(less, 3).finished, f"seed {seed}, {channel}"
        cured += 1
    assert cured > 20


def test_no_depth_frees_processes_that_wait_for_each_other() -> None:
    loop = process("loop", Segment(4, (Read("in0"), Read("in1")), ("out0", "out1")))
    machine = hosted(4, loop, depths=(2, 2), out=4)
    ring = Channel("ring", "loop", "out1", "loop", "in1", 3)
    machine = Machine(machine.processes, (*machine.channels, ring))
    with pytest.raises(Deadlock, match="no FIFO depth helps"):
        simulate_machine(machine, CLOCK_HZ)


def test_result_survives_json_and_traces_on_request() -> None:
    machine = fork_join(11)
    result = simulate_machine(machine, CLOCK_HZ, frames=2, trace=True)
    fifos = reference.step(machine, 2).fifos
    for times in result.trace:
        assert list(times.writes) == fifos[times.name].writes
        assert list(times.releases) == fifos[times.name].releases
    assert msgspec.json.decode(msgspec.json.encode(result), type=Simulation) == result
