"""Windows with several taps a cycle: the first one no longer caps the network."""

from __future__ import annotations

from codesign.board import load_board
from codesign.search.folding import find_folds
from tests.small_graphs import cnn


def test_a_large_board_takes_a_window_a_cycle() -> None:
    size, board = 12, load_board("u250")
    graph = cnn(size)
    found = find_folds(graph, board)
    windows = size - 2
    a_tap_a_cycle = windows * windows * 9
    assert found.fits and found.folds["win"].simd > 1
    # A pixel a cycle is the limit of the first window: its reader takes one.
    assert size * size <= found.interval_cycles < a_tap_a_cycle / 4


def test_their_options_are_few() -> None:
    window = cnn(12).nodes[0].block
    assert len(window.legal_folds()) == 2 * (
        2 + 2
    )  # memories * (divisors of 3 channels + row, whole)
