"""Columns of primitives against every combination of counts."""

from itertools import product

import pytest

from codesign.cost.packing import cheapest_columns


def _by_trying_all(columns, width_bits):
    most = [range(-(-width_bits // w) + 1) for w, _, _ in columns]
    covers = (n for n in product(*most) if sum(k * c[0] for k, c in zip(n, columns)) >= width_bits)
    return min(
        (sum(k * c[1] for k, c in zip(n, columns)), sum(k * c[2] for k, c in zip(n, columns)))
        for n in covers
    )


@pytest.mark.parametrize(
    "columns",
    [
        ((6, 4.0, 0.0), (1, 2.0, 0.0)),
        ((3, 4.0, 1.0), (2, 2.0, 5.0), (1, 2.0, 0.0)),
        ((4, 1.0, 0.0), (9, 3.0, 2.0), (18, 5.0, 1.0)),
        ((1, 3.0, 7.0), (2, 5.0, 0.0), (5, 12.5, 0.0)),
    ],
)
def test_least_cost_of_all_combinations(columns):
    for width in range(1, 41):
        assert cheapest_columns(columns, width) == pytest.approx(_by_trying_all(columns, width))
