"""Groups of points on common cycles, against reachability by powers of the adjacency matrix."""

import numpy as np
import pytest

from codesign.search.components import components


@pytest.mark.parametrize("seed", range(30))
def test_two_points_are_together_where_each_reaches_the_other(seed):
    dice = np.random.default_rng(seed)
    count = int(dice.integers(1, 12))
    edges = dice.random((count, count)) < dice.choice([0.05, 0.15, 0.3])
    reach = np.linalg.matrix_power((edges | np.eye(count, dtype=bool)).astype(object), count) > 0
    found = components([np.flatnonzero(row).tolist() for row in edges])
    assert sorted(p for group in found for p in group) == list(range(count))
    together = np.zeros((count, count), bool)
    for group in found:
        together[np.ix_(group, group)] = True
    assert np.array_equal(together, reach & reach.T)


def test_a_long_cycle_takes_no_recursion():
    count = 100_000
    assert len(components([[(p + 1) % count] for p in range(count)])) == 1
    assert len(components([[p + 1] for p in range(count - 1)] + [[]])) == count
