"""Weights in memories that are filled at start-up, as the search sees them."""

from __future__ import annotations

import msgspec
import pytest

from codesign.board import load_board
from codesign.cost.estimate import estimate
from codesign.cost.family import load_family
from codesign.search.folding import find_folds
from codesign.search.options import options_of
from codesign.search.plan import plan
from tests.small_graphs import mlp


def _kinds(board):
    return tuple(board.budget().flat())


@pytest.mark.parametrize(
    ("name", "offered"),
    [("zcu104", True), ("icebreaker", True), ("pynq-z2", False), ("ulx3s-85f", False)],
)
def test_large_memories_are_offered_where_the_family_has_them(name, offered):
    board = load_board(name)
    options = options_of(mlp().nodes[0].block, board.family, _kinds(board))
    assert any(fold.memory == "large" for fold in options.folds) is offered


def test_legal_folds_and_those_of_a_family():
    block = mlp().nodes[0].block
    every, plain = block.folds_on(load_family("xcup")), block.folds_on(load_family("xc7"))
    assert plain == block.legal_folds()
    added = [f for f in every if f.memory == "large"]
    assert [f for f in every if f not in added] == list(plain)
    assert 2 * len(added) == len(plain)
    for fold in added:
        assert (
            block.folded(fold).program()
            == block.folded(msgspec.structs.replace(fold, memory="block")).program()
        )


def test_weights_go_there_when_nothing_else_is_left():
    """Dense layers of 64 x 96 weights: no block RAM, and LUTs for the arithmetic alone."""
    board = load_board("zcu104")
    counts = msgspec.structs.replace(
        board.counts, lut=2600, lutram=600, ram={"BRAM18": 0, "URAM": 10}
    )
    small = msgspec.structs.replace(board, counts=counts)
    without = msgspec.structs.replace(
        small, counts=msgspec.structs.replace(counts, ram={"BRAM18": 0, "URAM": 0})
    )
    graph = mlp((96, 64, 32))
    found, missed = find_folds(graph, small), find_folds(graph, without)
    assert found.fits
    assert "large" in {fold.memory for fold in found.folds.values()}
    assert not missed.fits or missed.interval_cycles > found.interval_cycles
    assert estimate(found.design, small).verdict.fits


def test_a_plan_that_needs_large_memories_states_its_startup():
    """512 x 64 weights of 4 bits are more than all block RAM of the board."""
    board, graph = load_board("icebreaker"), mlp((512, 64, 10))
    bare = msgspec.structs.replace(board.counts, ram={"EBR": 30, "SPRAM": 0})
    found = plan(graph, board, advise=False)
    missed = plan(graph, msgspec.structs.replace(board, counts=bare), advise=False)
    assert found.fits and not missed.fits
    assert 1 <= found.estimate.total.ram["SPRAM"] <= 4
    assert found.estimate.startup_cycles > missed.estimate.startup_cycles == 0
