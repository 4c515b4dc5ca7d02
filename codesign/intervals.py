"""95 % confidence intervals of means over seeds, by Student's t."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import mean, variance

CONFIDENCE = 0.95


def half_interval(values: Sequence[float]) -> float:
    """Half of the interval of the mean of independent values; 0 for a single one."""
    count = len(values)
    return _quantile(count - 1) * sqrt(variance(values) / count) if count > 1 else 0.0


def difference(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    """Mean of `a` less mean of `b`, and half of its interval (Welch, 1947); infinite for one value.

    Two samples without any spread differ for certain.
    """
    gap = mean(a) - mean(b)
    if min(len(a), len(b)) < 2:
        return gap, float("inf")
    parts = [variance(values) / len(values) for values in (a, b)]
    if not sum(parts):
        return gap, 0.0
    shares = zip(parts, (a, b), strict=True)
    freedom = sum(parts) ** 2 / sum(part**2 / (len(values) - 1) for part, values in shares)
    return gap, _quantile(freedom) * sqrt(sum(parts))


def _quantile(freedom: float) -> float:
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, freedom))
