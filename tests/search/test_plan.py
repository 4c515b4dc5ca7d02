"""Plans keep their promises: simulated, within budget, and honest when nothing fits."""

import re

import msgspec
import pytest

from codesign.board import load_board
from codesign.design_rules import verify
from codesign.search.layers import uniform
from codesign.search.plan import plan
from codesign.sim.simulate import simulate
from tests.small_graphs import cnn, mlp, residual

PYNQ = load_board("pynq-z1")


def _holds(found, board):
    """What claims to fit is within the budget and runs at the rate that it states."""
    assert found.estimate.total.fits(board.budget())
    assert simulate(found.design, board).interval_cycles == found.estimate.interval_cycles


@pytest.mark.parametrize("graph", [mlp((32, 16, 10)), cnn(8), residual()], ids=lambda g: g.name)
@pytest.mark.parametrize("board", ["pynq-z1", "icebreaker", "ulx3s-85f"])
def test_a_plan_that_fits_runs_at_its_interval(graph, board):
    board = load_board(board)
    found = plan(graph, board)
    assert found.fits
    verify(found.design)
    _holds(found, board)


@pytest.mark.parametrize(("share", "fits"), [(0.1, True), (0.03, True), (0.01, False)])
def test_fifos_are_part_of_the_budget(share, fits):
    board = PYNQ.share(share)
    found = plan(residual(8), board)
    assert found.fits == fits
    if fits:
        _holds(found, board)
    else:
        assert not found.estimate.total.fits(board.budget())


def test_a_target_out_of_reach_names_one_that_can_be_reached():
    graph, board = mlp((64, 64, 10)), PYNQ.share(0.05)
    found = plan(graph, board, target_fps=2e7)
    assert not found.meets_target
    lever = next(x for x in found.estimate.verdict.levers if x.startswith("a target"))
    reachable = float(re.search(r"[\d,]+", lever).group().replace(",", ""))
    assert plan(graph, board, target_fps=reachable * 0.999).fits


def test_the_widths_that_a_lever_names_fit_and_one_more_does_not():
    graph, board = mlp((64, 64, 10), bits=8), PYNQ.share(0.022)
    found = plan(graph, board)
    assert not found.fits
    lever = next(x for x in found.estimate.verdict.levers if x.startswith("weights and inner"))
    bits = int(re.search(r"at (\d)", lever).group(1))
    assert plan(uniform(graph, bits), board).fits
    assert not plan(uniform(graph, bits + 1), board).fits


def test_what_no_width_saves_is_told_with_the_board_that_holds_it():
    graph, board = mlp((64, 64, 10), bits=1), load_board("icebreaker").share(0.02)
    verdict = plan(graph, board).estimate.verdict
    assert "narrower weights and activations alone are not enough" in verdict.levers
    lever = next(x for x in verdict.levers if x.startswith("board "))
    assert plan(graph, load_board(lever.split()[1])).fits


@pytest.mark.parametrize("ebr", [4, 12])
@pytest.mark.parametrize("lut", [2000, 2500])
def test_fifos_of_registers_and_few_block_rams_still_end_in_a_plan_that_runs(ebr, lut):
    """Without LUT RAM FIFOs weigh as much as blocks: what claims to fit must run as said."""
    board = load_board("icebreaker")
    counts = msgspec.structs.replace(board.counts, lut=lut, ff=lut, ram={"EBR": ebr, "SPRAM": 0})
    board = msgspec.structs.replace(board, counts=counts)
    found = plan(mlp((32, 24, 16, 10), bits=3), board)
    assert found.fits
    _holds(found, board)
