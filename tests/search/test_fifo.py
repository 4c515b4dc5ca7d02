"""FIFO depths: no deadlock at forks and joins, the interval of the slowest block, no waste."""

import msgspec
import pytest

from codesign.blocks.base import Fold
from codesign.board import load_board
from codesign.cost.estimate import estimate, interval_of
from codesign.design_rules import verify
from codesign.errors import Deadlock
from codesign.lowering import assemble
from codesign.search.fifo import size_fifos
from codesign.sim.simulate import simulate
from tests.small_graphs import cnn, mlp, random_folds, residual

BOARD = load_board("pynq-z1")
SLACK = msgspec.structs.replace(BOARD, memory_bandwidth_bytes_per_s=1e12, stream_bits=1024)


def test_a_residual_design_stops_at_its_least_depths_and_runs_when_sized():
    design = assemble(residual(), {}, BOARD)
    with pytest.raises(Deadlock):
        simulate(design, BOARD)
    sized = size_fifos(design, BOARD)
    verify(sized)
    assert simulate(sized, BOARD).interval_cycles == interval_of(design, BOARD)[0]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("graph", [cnn(), residual()], ids=lambda g: g.name)
def test_any_folding_keeps_the_interval_of_its_slowest_block(graph, seed):
    design = assemble(graph, random_folds(graph, seed), SLACK)
    sized = size_fifos(design, SLACK)
    assert simulate(sized, SLACK).interval_cycles == interval_of(design, SLACK)[0]


def test_the_bypass_of_a_residual_holds_what_the_branch_delays_and_little_else_grows():
    design = assemble(residual(), {}, BOARD)
    sized = size_fifos(design, BOARD)
    before = {s.name: s.depth for s in design.streams}
    grown = {s.name: s.depth for s in sized.streams if s.depth > before[s.name] + 1}
    # Two 3x3 windows with padding 1 delay by more than a row of 5 pixels of 4 channels each.
    bypass = grown.pop("stem_fork.out1->join.in1")
    assert 2 * 5 * 4 < bypass <= 2 * 5 * 5 * 4
    assert sum(grown.values()) < bypass


def test_a_chain_that_keeps_its_rate_gets_shallower_unless_full_rate_is_asked_for():
    design = assemble(mlp(), {"fc0": Fold(pe=2, simd=2)}, BOARD)
    full, sized = size_fifos(design, BOARD, full_rate=True), size_fifos(design, BOARD)
    assert [s.depth for s in full.streams] == [s.depth for s in design.streams]
    assert sum(s.depth for s in sized.streams) < sum(s.depth for s in design.streams)
    results = [simulate(d, BOARD) for d in (design, full, sized)]
    assert len({r.interval_cycles for r in results}) == 1
    assert results[0].latency_cycles == results[1].latency_cycles <= results[2].latency_cycles


def test_large_fifos_go_to_block_ram_when_luts_are_scarce():
    graph = residual(16, 8)
    design = assemble(graph, {n.block.name: n.block.legal_folds()[-1] for n in graph.nodes}, SLACK)
    demand = estimate(size_fifos(design, SLACK), SLACK).total
    half = int(demand.lutram / 2 / SLACK.usable.lutram)
    counts = msgspec.structs.replace(SLACK.counts, lutram=half)
    board = msgspec.structs.replace(SLACK, counts=counts)
    scarce = size_fifos(design, board)
    assert "block" in {s.style for s in scarce.streams}
    assert estimate(scarce, board).verdict.fits
    assert simulate(scarce, SLACK).interval_cycles == interval_of(design, SLACK)[0]
