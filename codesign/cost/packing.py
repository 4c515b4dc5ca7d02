"""Fewest primitives whose widths together reach a memory's width."""

from __future__ import annotations

from functools import lru_cache

# (width in bits, cost, second cost that breaks ties) of one column of primitives.
Column = tuple[int, float, float]


def cheapest_columns(columns: tuple[Column, ...], width_bits: int) -> tuple[float, float]:
    """Least (cost, second cost) of columns, each as often as needed, that cover `width_bits`.

    Exact for every width: in a cheapest cover, w columns that are not of the best ratio (width w)
    contain some whose widths sum to a multiple of w, and the best ratio replaces them at no more
    cost. So at most w - 1 columns are of other kinds, and all beyond is the best ratio.
    """
    best = min(columns, key=lambda c: (c[1] / c[0], c[2] / c[0]))
    widest = max(c[0] for c in columns)
    rest_bits = (best[0] - 1) * widest + best[0]
    times = max(0, -(-(width_bits - rest_bits) // best[0]))
    cost, second = _covers(columns, rest_bits)[width_bits - times * best[0]]
    return cost + times * best[1], second + times * best[2]


@lru_cache(maxsize=4096)
def _covers(columns: tuple[Column, ...], up_to_bits: int) -> tuple[tuple[float, float], ...]:
    """Least costs for every width 0 .. up_to_bits, by dynamic programming."""
    least: list[tuple[float, float]] = [(0.0, 0.0)]
    for bits in range(1, up_to_bits + 1):
        options = ((least[max(0, bits - w)], cost, tie) for w, cost, tie in columns)
        least.append(min((c + cost, t + tie) for (c, t), cost, tie in options))
    return tuple(least)


def words_a_row(words: int, width_bits: int, row_bits: int) -> int:
    """Words of `width_bits` that share a row of `row_bits` in hw/large_ram.sv: a power of two, 1 for
    words wider than half a row, and no more than the addresses of `words` tell apart."""
    most = 1 << (words - 1).bit_length()
    return min(most, 1 << max(0, (row_bits // width_bits).bit_length() - 1))
