"""The engine against the naive stepper, token by token, and against closed forms."""

from __future__ import annotations

import random

import pytest

from codesign.errors import InvariantBroken
from codesign.program import Loop, Process, Read, Segment
from codesign.sim.encode import encode
from codesign.sim.machine import Channel, Machine
from tests.sim.machines import paced, random_machine
from tests.sim.traces import assert_same, engine_times

BATCH = 60


@pytest.mark.parametrize("batch", range(10))
def test_every_time_of_every_token_on_random_graphs(batch: int) -> None:
    ends = [
        assert_same(random_machine(seed), 1 + seed % 3, f"seed {seed}")
        for seed in range(batch * BATCH, (batch + 1) * BATCH)
    ]
    assert 10 < sum(ends) < BATCH - 3  # both kinds of end are really there


@pytest.mark.parametrize("seed", range(20))
def test_stall_lists_on_source_and_sink(seed: int) -> None:
    dice = random.Random(seed)
    stalls = [[dice.choice((1, 1, 2, 7)) for _ in range(24)] for _ in range(2)]
    unit = Process("unit", (Loop(4, mvu(6, 6)),))
    machine = chain(
        [paced("a", stalls[0], writes="out0"), unit, paced("z", stalls[1], reads="in0")],
        [dice.randint(1, 4), dice.randint(1, 9)],
        [1, dice.randint(1, 6)],
    )
    assert assert_same(machine, 3, f"seed {seed}")


def mvu(sf: int, nf: int) -> tuple[Segment, ...]:
    """One vector of a matrix-vector unit: `sf` beats in, `nf` beats out."""
    read = (Read("in0"),)
    return (
        Segment(sf - 1, read),
        Segment(1, read, ("out0",)),
        Segment(nf - 1, writes=("out0",), gap=sf),
    )


def chain(processes: list[Process], depths: list[int], latencies: list[int]) -> Machine:
    """The processes one behind the other."""
    names = [p.name for p in processes]
    ends = zip(names, names[1:], depths, latencies, strict=False)
    channels = [Channel(f"{a}>{b}", a, "out0", b, "in0", d, fl) for a, b, d, fl in ends]
    return Machine({p.name: p for p in processes}, tuple(channels))


def source(tokens: int) -> Process:
    return Process("a", (Loop(1, (Segment(tokens, writes=("out0",)),)),))


def sink(tokens: int) -> Process:
    return Process("z", (Loop(1, (Segment(tokens, (Read("in0"),)),)),))


def test_fifo_latency_law() -> None:
    for latency in (1, 2, 7):
        times, _ = engine_times(chain([source(1), sink(1)], [1], [latency]), 1)
        assert times["a>z"] == ([0], [latency])


@pytest.mark.parametrize("latency", [1, 3, 6])
def test_full_rate_needs_depth_of_latency_plus_one(latency: int) -> None:
    def last_read(depth: int) -> int:
        times, _ = engine_times(chain([source(50), sink(50)], [depth], [latency]), 1)
        return times["a>z"][1][-1]

    assert last_read(latency + 1) == latency + 49
    assert last_read(latency) > latency + 49


def test_depth_one_runs_at_half_rate() -> None:
    times, _ = engine_times(chain([source(10), sink(10)], [1], [1]), 1)
    assert times["a>z"][0] == list(range(0, 20, 2))


def test_closed_form_of_matrix_vector_units() -> None:
    """Two layers of 8x6 and 4x8 beats: the slower one sets the pace, no bubble between vectors."""
    vectors, first, second = 9, (6, 8), (8, 4)
    units = [Process(f"u{i}", (Loop(vectors, mvu(*u)),)) for i, u in enumerate((first, second))]
    machine = chain([source(54), *units, sink(36)], [2, 8, 2], [1, 4, 3])
    times, _ = engine_times(machine, 1)
    writes = times["u0>u1"][0]
    # a write every 6 cycles, the first one cycle after the last of 6 reads that start in cycle 1
    assert writes == [6 + 6 * i for i in range(8 * vectors)]
    # the second reads each token 4 cycles later, and writes at the 8th, then every 8 cycles
    outputs = [writes[8 * v + 7] + 4 + 8 * n for v in range(vectors) for n in range(4)]
    assert times["u1>z"][0] == outputs


def test_a_process_that_releases_what_has_not_arrived_is_refused() -> None:
    early = Process("z", (Loop(1, (Segment(1, (Read("in0", release=3),)), Segment(1))),))
    with pytest.raises(InvariantBroken, match="have arrived"):
        engine_times(chain([source(3), early], [4], [1]), 1)


@pytest.mark.parametrize(
    ("program", "text"),
    [
        (Segment(3, (Read("in0"),), gap=0), "gap must be at least 1"),
        (Segment(3, (Read("in0", offset=1, step=-1),)), "look at in0 must be not behind"),
        (Segment(2, (Read("in0"),)), "tokens released per frame must be equal to"),
        (Segment(3, (Read("in1"),)), "port in1 must be connected"),
    ],
)
def test_programs_that_break_a_law_are_refused(program: Segment, text: str) -> None:
    bad = Process("z", (Loop(1, (program,)),))
    with pytest.raises(InvariantBroken, match=text):
        encode(chain([source(3), bad], [4], [1]))
