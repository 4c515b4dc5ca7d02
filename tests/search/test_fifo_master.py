"""The FIFOs of least memory that satisfy cuts and sums: trying all against the integer program."""

import random

import pytest

from codesign.search import fifo_master
from codesign.search.fifo_master import Cut, Master
from codesign.search.fifo_steps import Steps

KINDS = ("lut", "lutram", "ff", "BRAM18")
STEPS = Steps("xc7", KINDS, (0.5, 0.0, 0.25, 300.0), (1e-5, 2e-5, 1e-5, 5e-3))


def _master(seed: int) -> Master:
    """Five streams in two groups or more, with cuts of two or three of them, perhaps a sum."""
    dice = random.Random(seed)
    width = {f"s{i}": dice.choice((1, 4, 9, 36)) for i in range(5)}
    master = Master(STEPS, width, dict.fromkeys(width, 1), (1e6,) * len(KINDS))
    for _ in range(6):
        names = dice.sample(sorted(width)[: dice.choice((3, 5))], dice.choice((1, 2, 3)))
        master.add(Cut({name: dice.choice((3, 20, 40, 70, 300, 1025)) for name in names}))
    if seed % 2:
        deep = {"s2": 40} if seed % 4 == 1 else {}
        master.add(Cut(deep, {"s0": 2, "s1": 1}, dice.choice((50, 90))))
    return master


@pytest.mark.parametrize("seed", range(10))
def test_trying_all_finds_what_the_integer_program_finds(seed, monkeypatch):
    tried = _master(seed).solve()
    monkeypatch.setattr(fifo_master, "MOST_TRIED", 0)
    monkeypatch.setattr(fifo_master, "GAP", 0.0)
    solved = _master(seed).solve()
    assert tried.bound_bits == pytest.approx(solved.bound_bits, rel=1e-9)
    master = _master(seed)
    depths = {name: fifo.depth for name, fifo in tried.fifos.items()}
    assert all(depths[n] >= d for n, d in master.least.items())
    for cut in master.cuts:
        total = sum(w * depths[n] for n, w in cut.worth.items())
        deep = any(depths[n] >= d for n, d in cut.deep.items())
        assert deep or (cut.worth and total >= cut.least)
