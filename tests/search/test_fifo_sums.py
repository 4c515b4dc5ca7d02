"""What FIFOs must hold together, against every set of depths in the naive stepper of cycles."""

from __future__ import annotations

import random
from itertools import pairwise, product

import pytest

from codesign.program import Loop, Process, Read, Segment
from codesign.search.fifo_cuts import Cuts
from codesign.search.fifo_parts import Parts
from codesign.search.fifo_sums import sum_of
from codesign.search.oracle import Budget
from codesign.sim.machine import Channel, Machine
from codesign.sim.reference import step

INTERVAL, FRAMES, SETTLED = 24, 8, 4
DEEPEST = {2: 10, 4: 5}


def _paced(name, dice, events, reads=(), writes=(), within=INTERVAL) -> Process:
    """So many events at random distances that take the interval whole, all but one `within` cycles."""
    ends = sorted(dice.sample(range(2, within), events - 1))
    gaps = [b - a for a, b in zip([0, *ends], [*ends, INTERVAL], strict=True)]
    segments = [Segment(1, reads, writes, gap=gap) for gap in gaps]
    return Process(name, (Loop(1, tuple(segments)),))


def _channel(source: str, target: str, latency: int) -> Channel:
    return Channel(f"{source}->{target}", source, "out", target, "in", 1, latency)


def chain(seed: int) -> Machine:
    """Words of a fixed schedule, passed on, perhaps in two parts each, to a reader of fixed schedule."""
    dice = random.Random(seed)
    words, parts = dice.choice((4, 5, 6)), dice.choice((1, 2))
    apart = Segment(parts, (Read("in", release=0, release_last=1),), ("out",))
    passing = Segment(words, (Read("in"),), ("out",)) if parts == 1 else apart
    processes = [
        _paced("first", dice, words, writes=("out",), within=INTERVAL // 3),
        Process("pass", (Loop(1 if parts == 1 else words, (passing,)),)),
        _paced("last", dice, words * parts, reads=(Read("in"),)),
    ]
    names = [p.name for p in processes]
    channels = tuple(_channel(a, b, dice.choice((1, 2, 4))) for a, b in pairwise(names))
    return Machine({p.name: p for p in processes}, channels)


def diamond(seed: int) -> Machine:
    """A fork, a branch that waits for some tokens before its first, a bypass, and a join."""
    dice = random.Random(seed)
    tokens, ahead = dice.choice((4, 6)), dice.choice((1, 2, 3))
    first = _paced("first", dice, tokens, writes=("out", "by"))
    waits = [Segment(tokens - ahead, (Read("in", offset=ahead),), ("out",))]
    waits += [Segment(ahead, (Read("in", offset=0),), ("out",))]
    join = Segment(tokens, (Read("in"), Read("by")), ("out",), gap=dice.choice((1, 2)))
    processes = [
        first,
        Process("branch", (Loop(1, tuple(waits)),)),
        Process("join", (Loop(1, (join,)),)),
        _paced("last", dice, tokens, reads=(Read("in"),)),
    ]
    bypass = Channel("bypass", "first", "by", "join", "by", 1, 1)
    ends = (("first", "branch"), ("branch", "join"), ("join", "last"))
    channels = (*(_channel(a, b, dice.choice((1, 3))) for a, b in ends), bypass)
    return Machine({p.name: p for p in processes}, channels)


def _keeping(machine: Machine) -> list[dict[str, int]]:
    """All sets of depths with which the stepper takes the interval a frame in the end."""
    names = [c.name for c in machine.channels]
    every = product(range(1, DEEPEST[len(names)] + 1), repeat=len(names))
    return [d for depths in every if _keeps(machine, d := dict(zip(names, depths, strict=True)))]


def _keeps(machine: Machine, depths: dict[str, int]) -> bool:
    run = step(machine.with_depths(depths), FRAMES, FRAMES * INTERVAL * 3)
    last = run.fifos[machine.channels[2 if len(machine.channels) > 2 else -1].name].releases
    if not run.finished:
        return False
    frame = len(last) // FRAMES
    return last[FRAMES * frame - 1] - last[SETTLED * frame - 1] == (FRAMES - SETTLED) * INTERVAL


def _parts(machine: Machine) -> Parts:
    return Parts(machine, [c.name for c in machine.channels], INTERVAL, Budget(10**8))


def test_no_depths_that_keep_the_rate_hold_less_than_the_sum_which_is_close():
    """Some sums say more than what each stream needs when the others are deep enough."""
    more = 0
    for seed in range(12):
        machine = chain(seed)
        found, keeping = sum_of(_parts(machine)), _keeping(machine)
        held = [sum(n * d[name] for name, n in found.worth.items()) for d in keeping]
        assert found.least <= min(held) <= found.least + 3
        alone = sum(n * min(d[name] for d in keeping) for name, n in found.worth.items())
        more += found.least > alone
    assert more


def test_a_process_that_has_time_to_spare_has_no_sum():
    machine = chain(0)
    assert sum_of(_parts(machine)) is not None
    words = machine.processes["first"].tokens_written("out")
    idle = Process("first", (Loop(1, (Segment(words, writes=("out",)),)),))
    assert sum_of(_parts(machine.with_process("first", idle))) is None


@pytest.mark.parametrize("seed", [0, 1, 3, 6, 9, 11])
def test_cuts_at_joins_exclude_no_depths_that_keep_the_rate(seed):
    """From the shallowest FIFOs, each cut lifted at its first stream until none is violated."""
    machine = diamond(seed)
    names, keeping = [c.name for c in machine.channels], _keeping(machine)
    levels = dict.fromkeys(names, tuple(range(1, 20)))
    cuts = Cuts(_parts(machine), levels, lambda name, depth: depth, 10**6)
    assert keeping
    depths, violated = dict.fromkeys(names, 1), 0
    while found := cuts.found(depths):
        for cut in found:
            violated += 1
            assert all(depths[n] < least for n, least in cut.items())
            assert all(any(d[n] >= least for n, least in cut.items()) for d in keeping)
            name = next(iter(cut))
            depths[name] = max(depths[name], cut[name])
    # What violates no cut keeps the rate: the cuts say all there is to say.
    assert _keeps(machine, depths)
    assert violated
    assert all(cuts.least(n) == min(d[n] for d in keeping) for n in names)
