"""The greedy baseline: its own rule, and the search is never slower."""

import pytest

from codesign.board import load_board
from codesign.search.folding import find_folds
from codesign.search.greedy import ONE_POLICY, _ladder, _step, greedy_folds
from codesign.search.joining import network_of
from codesign.search.options import vector
from tests.small_graphs import cnn, mlp, residual

PYNQ = load_board("pynq-z1")


def test_simd_is_raised_before_pe_and_only_as_far_as_a_target_needs():
    network = network_of(mlp((12, 8, 6)), PYNQ)
    options = network.options[network.names.index("fc0")]
    ladder = _ladder(options)
    folds = [options.folds[members[0]] for _, members in ladder]
    assert [(f.simd, f.pe) for f in folds] == [
        (1, 1), (2, 1), (3, 1), (4, 1), (6, 1), (12, 1), (12, 2), (12, 4), (12, 8),
    ]  # fmt: skip
    # 12 x 8 products, a target of 20 cycles: 8 with simd 12 and pe 1, 16 with simd 6.
    assert {(options.folds[i].simd, options.folds[i].pe) for i in _step(ladder, 20)} == {(6, 1)}


@pytest.mark.parametrize("share", [0.02, 0.05, 0.3])
@pytest.mark.parametrize("graph", [mlp((32, 16, 10)), cnn(8), residual()], ids=lambda g: g.name)
def test_the_search_is_never_slower(graph, share):
    board = PYNQ.share(share)
    greedy, found = greedy_folds(graph, board), find_folds(graph, board)
    network = network_of(graph, board)
    limit = vector(board.budget(), network.device.kinds)
    fits = bool((network.counts(greedy.choice) <= limit + 1e-6).all())
    assert greedy.fits == fits
    assert greedy.interval_cycles == network.interval_cycles(greedy.choice)
    assert greedy.targets >= 100
    if greedy.fits:
        assert found.fits
        assert found.fps >= greedy.fps


def test_more_policies_only_help():
    board = PYNQ.share(0.05)
    one, all_ = (
        greedy_folds(cnn(8), board, policies=p) for p in (ONE_POLICY, ONE_POLICY + (("lut",),))
    )
    assert one.fits and all_.fits
    assert all_.fps >= one.fps > 0
