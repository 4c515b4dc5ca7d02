"""Sized FIFOs: proven rate, true bounds, and how far from the least memory; random forks and joins."""

import random
from itertools import product
from math import prod

import msgspec
import pytest

from codesign.board import load_board
from codesign.errors import Deadlock
from codesign.search.fifo import fifo_sizing
from codesign.search.fifo_parts import forget
from codesign.search.fifo_search import FifoSearch
from codesign.search.fifo_shrink import Shrinking
from codesign.search.fifo_steps import SLOWEST, Steps
from codesign.sim.machine import machine_of
from codesign.sim.simulate import simulate, simulate_machine
from tests.search.fork_join import fork_join_design

ROOMY = {"memory_bandwidth_bytes_per_s": 1e12, "stream_bits": 1024}
BOARD = msgspec.structs.replace(load_board("pynq-z1"), **ROOMY)
# Every FIFO is made of registers: each token counts.
REGISTERS = msgspec.structs.replace(load_board("icebreaker"), **ROOMY)


def _interval(machine) -> float:
    try:
        return simulate_machine(machine, 1e8).interval_cycles
    except Deadlock:
        return float("inf")


@pytest.mark.parametrize("seed", range(24))
def test_sized_forks_and_joins_keep_the_rate_and_no_depth_is_under_its_bound(seed):
    board = REGISTERS if seed % 3 == 0 else BOARD
    sizing = fifo_sizing(fork_join_design(seed, board), board)
    assert simulate(sizing.design, board).interval_cycles == sizing.interval_cycles
    assert all(s.depth >= s.bound_depth for s in sizing.streams)
    assert sizing.bound_bits <= sizing.bits <= sizing.witness_bits
    assert sizing.bits == sum(s.bits for s in sizing.streams)


@pytest.mark.parametrize("seed", range(6))
def test_one_slot_less_than_the_bound_is_too_little_however_deep_the_others(seed):
    design = fork_join_design(seed, REGISTERS)
    sizing = fifo_sizing(design, REGISTERS)
    machine = machine_of(design, REGISTERS)
    ample = {s.name: 2 * s.beats_per_frame for s in design.streams}
    bound = {s.name: s.bound_depth for s in sizing.streams if s.bound_depth > 1}
    assert bound
    for name, depth in bound.items():
        less = machine.with_depths(ample | {name: depth - 1})
        assert _interval(less) > sizing.interval_cycles, name


# Seeds whose depths are few enough to try them all.
@pytest.mark.parametrize("seed", [1, 2, 4, 6, 8, 9])
def test_no_design_of_less_memory_keeps_the_rate(seed):
    """All depths from the bounds up, against the exact simulator: the gap is none."""
    design = fork_join_design(seed, REGISTERS, joins=1, sizes=(2,))
    sizing = fifo_sizing(design, REGISTERS)
    machine = machine_of(design, REGISTERS)
    choices = [range(s.bound_depth, max(s.witness_tokens, s.depth) + 1) for s in sizing.streams]
    assert prod(map(len, choices)) <= 20_000
    widths, names = [s.width_bits for s in sizing.streams], [s.name for s in sizing.streams]
    least = sizing.bits
    for depths in product(*choices):
        bits = sum(w * d for w, d in zip(widths, depths, strict=True))
        if bits < least:
            kept = _interval(machine.with_depths(dict(zip(names, depths, strict=True))))
            least = bits if kept == sizing.interval_cycles else least
    assert sizing.bound_bits == least == sizing.bits
    assert sizing.optimal


@pytest.mark.parametrize("seed", [5, 16, 17, 21])
def test_without_events_to_spend_the_witness_stays_and_still_keeps_the_rate(seed):
    design = fork_join_design(seed, REGISTERS)
    forget()
    sizing = fifo_sizing(design, REGISTERS, bound_events=0, shrink_events=0)
    assert not sizing.complete
    assert sizing.bound_bits <= sizing.bits
    assert all(s.depth <= s.witness_tokens + SLOWEST for s in sizing.streams)
    assert simulate(sizing.design, REGISTERS).interval_cycles == sizing.interval_cycles
    assert sizing.bound_bits < fifo_sizing(design, REGISTERS).bound_bits


def test_what_holds_from_a_warm_state_holds_from_reset():
    design, dice = fork_join_design(5, BOARD), random.Random(0)
    sizing, search = fifo_sizing(design, BOARD), FifoSearch(design, BOARD)
    witness = search.witness()
    assert search.oracle.starts(witness, spare=1)
    answers = set()
    for _ in range(40):
        tokens = {n: dice.randint(max(1, d - 6), d) for n, d in witness.items()}
        some = {n: d for n, d in tokens.items() if dice.random() < 0.15}
        held = search.oracle.holds({n: (d, 0) for n, d in some.items()})
        if held:
            witness |= some
        machine = search.oracle.machine.with_depths(witness if held else witness | some)
        assert (_interval(machine) == sizing.interval_cycles) == held
        answers.add(held)
    assert answers == {True, False}


@pytest.mark.parametrize("seed", range(6))
def test_a_machine_that_starts_late_settles_no_later_and_with_the_same_answer(seed):
    design = fork_join_design(seed, BOARD)
    idle, late = FifoSearch(design, BOARD).oracle, FifoSearch(design, BOARD).oracle
    witness = FifoSearch(design, BOARD).witness()
    assert idle.starts(witness)
    assert late.starts(witness, ends=idle.ends())
    assert late.state.frame[0] <= idle.state.frame[0]
    short = dict.fromkeys(witness, 1)
    kept = _interval(idle.machine.with_depths(short)) == idle.interval_cycles
    assert late.starts(short, ends=idle.ends()) == kept


class _From:
    """Stands for an oracle that refuses fewer tokens than `least`."""

    def __init__(self, least: int) -> None:
        self.least, self.asked = least, 0

    def holds(self, changes):
        self.asked += 1
        return all(tokens >= self.least for tokens, _ in changes.values())


@pytest.mark.parametrize("last", range(1, 40))
def test_the_lowest_level_that_holds_is_found_in_few_steps(last):
    levels = [(tokens, 0) for tokens in range(last + 1)]
    for lowest in range(1, last + 1):
        shrinking = Shrinking(_From(lowest), {"s": levels[last]})
        shrinking.step_by_step("s", levels)
        assert shrinking.held["s"] == levels[lowest]
        assert shrinking.oracle.asked <= 2 * lowest.bit_length() + 1


@pytest.mark.parametrize("family", ["xc7", "ecp5"])
@pytest.mark.parametrize("width_bits", [1, 7, 40])
def test_no_depth_between_two_steps_takes_less_memory_than_the_step_above(family, width_bits):
    kinds = ("lut", "lutram", "ff", "BRAM18", "DP16KD")
    steps = Steps(family, kinds, (0.0,) * 5, (1e-5, 2e-5, 1e-5, 5e-3, 5e-3))
    levels = steps.levels(1, 1024, width_bits)
    assert levels[-1] == 1024
    above = 0
    for tokens in range(1, 1025):
        above += tokens > levels[above]
        lower, higher = (steps.fifo(n, width_bits) for n in (levels[above], tokens))
        assert lower.bits <= higher.bits
