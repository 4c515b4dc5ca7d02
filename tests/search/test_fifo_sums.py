"""What FIFOs must hold together, against every set of depths in the naive stepper of cycles."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise, product

import pytest

from codesign.program import Loop, Process, Read, Segment
from codesign.search.fifo_cuts import Cuts
from codesign.search.fifo_master import Cut
from codesign.search.fifo_parts import Parts
from codesign.search.fifo_sums import chains, sums_of
from codesign.search.oracle import Budget
from codesign.sim.machine import Channel, Machine
from codesign.sim.reference import step

INTERVAL, FRAMES, SETTLED = 24, 8, 4
DEEPEST = {1: 20, 2: 10, 3: 7, 4: 5}


def _paced(name, dice, events, reads=(), writes=(), within=INTERVAL) -> Process:
    """So many events at random distances that take the interval whole, all but one `within` cycles."""
    ends = sorted(dice.sample(range(2, within), events - 1))
    gaps = [b - a for a, b in zip([0, *ends], [*ends, INTERVAL], strict=True)]
    segments = [Segment(1, reads, writes, gap=gap) for gap in gaps]
    return Process(name, (Loop(1, tuple(segments)),))


def _channel(source: str, target: str, latency: int) -> Channel:
    return Channel(f"{source}->{target}", source, "out", target, "in", 1, latency)


# What passes tokens on: tokens that it reads and writes in a turn, and how.
PASSING = {
    (1, 1): (Segment(1, (Read("in"),), ("out",)),),
    (1, 2): (Segment(2, (Read("in", release=0, release_last=1),), ("out",)),),
    (2, 1): (Segment(1, (Read("in"),)), Segment(1, (Read("in"),), ("out",))),
    (3, 1): (Segment(2, (Read("in"),)), Segment(1, (Read("in"),), ("out",))),
}


def chain(seed: int) -> Machine:
    """Words of a fixed schedule to a reader of another; in between they are passed on, once or twice,
    perhaps in two parts each, or some together."""
    dice = random.Random(seed)
    tokens, ways = dice.choice((4, 6)), dice.choices(list(PASSING), k=dice.choice((1, 2)))
    processes = [_paced("first", dice, tokens, writes=("out",), within=INTERVAL // 3)]
    for i, (reads, writes) in enumerate(ways):
        if tokens % reads == 0 and 1 < tokens // reads * writes <= INTERVAL // 2:
            processes.append(Process(f"pass{i}", (Loop(tokens // reads, PASSING[reads, writes]),)))
            tokens = tokens // reads * writes
    processes.append(_paced("last", dice, tokens, reads=(Read("in"),)))
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


def _sums(machine: Machine) -> Iterator[Cut]:
    """Those of all its streams."""
    parts = _parts(machine)
    for some in chains(machine, {c.name: 1 for c in machine.channels}):
        yield from sums_of(parts, parts.order, some, {})


def _holds(cut: Cut, depths: dict[str, int]) -> bool:
    deep = any(depths[name] >= least for name, least in cut.deep.items())
    return deep or (bool(cut.worth) and _held(cut, depths) >= cut.least)


def _held(cut: Cut, depths: dict[str, int]) -> int:
    return sum(worth * depths[name] for name, worth in cut.worth.items())


def test_no_depths_that_keep_the_rate_hold_less_than_the_sum_which_is_close():
    sums = 0
    for seed in range(24):
        keeping = _keeping(machine := chain(seed))
        for found in _sums(machine) if keeping else ():
            least = min(_held(found, depths) for depths in keeping)
            assert found.least <= least <= found.least + 3
            sums += 1
    assert sums > 10


def test_what_comes_at_once_must_be_held_in_some_stream():
    """Eight words one after the other, taken over the whole interval: no stream need hold many of
    them, all together must."""
    first = Segment(8, writes=("out",)), Segment(1, gap=INTERVAL - 8)
    last = Segment(8, (Read("in"),), gap=INTERVAL // 8)
    loops = {"first": Loop(1, first), "pass": Loop(8, PASSING[1, 1]), "last": Loop(1, (last,))}
    channels = tuple(_channel(a, b, 1) for a, b in pairwise(loops))
    machine = Machine({name: Process(name, (lp,)) for name, lp in loops.items()}, channels)
    (found,), keeping = list(_sums(machine)), _keeping(machine)
    assert found.least <= min(_held(found, depths) for depths in keeping) <= found.least + 1
    assert found.least > sum(min(d[c.name] for d in keeping) for c in channels)


@pytest.mark.parametrize("seed", range(12))
def test_sums_beside_cuts_exclude_no_depths_that_keep_the_rate(seed):
    """From the shallowest FIFOs on, the first stream of each cut as deep as it asks for."""
    machine = chain(seed)
    names, keeping = [c.name for c in machine.channels], _keeping(machine)
    levels = dict.fromkeys(names, tuple(range(1, 20)))
    cuts = Cuts(_parts(machine), levels, lambda name, depth: depth, 10**6)
    depths = dict.fromkeys(names, 1)
    while found := cuts.found(depths):
        for cut in found:
            assert all(_holds(cut, d) for d in keeping)
            for name, least in list(cut.deep.items())[:1]:
                depths[name] = max(depths[name], least)
    assert _keeps(machine, depths)


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
            assert not _holds(cut, depths)
            assert all(_holds(cut, d) for d in keeping)
            name = next(iter(cut.deep))
            depths[name] = max(depths[name], cut.deep[name])
    # What violates no cut keeps the rate: the cuts say all there is to say.
    assert _keeps(machine, depths)
    assert violated
    assert all(cuts.least(n) == min(d[n] for d in keeping) for n in names)
