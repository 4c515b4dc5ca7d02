"""Whether the order of the rows is the published one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, product
from typing import NamedTuple

from codesign.intervals import difference

REPRODUCED, UNRESOLVED, CONTRADICTED = "order reproduced", "not resolved", "contradicted"
NOT_PUBLISHED, ALONE = "nothing published", "no published order"

Pair = tuple[str, str]


class Published(NamedTuple):
    """What was published for a row (None: nothing), and the rows that it is compared with."""

    group: str
    value: float | None


def claims(published: Mapping[str, Published], least_gap: float) -> list[Pair]:
    """(better, worse) for neighbours in the published order of their group, smaller being better.

    Rows within `least_gap` of the best of them make no claim on each other, only on the next ones.
    """
    groups = dict.fromkeys(row.group for row in published.values())
    return [
        pair
        for group in groups
        for one, two in pairwise(_levels(published, group, least_gap))
        for pair in product(one, two)
    ]


def _levels(
    published: Mapping[str, Published], group: str, least_gap: float
) -> list[tuple[str, ...]]:
    """Names of a group in the published order, those that are as good as equal together."""
    own = [(row.value, name) for name, row in published.items() if row.group == group]
    levels: list[list[tuple[float, str]]] = []
    for value, name in sorted(item for item in own if item[0] is not None):
        if not levels or value - levels[-1][0][0] > least_gap:
            levels.append([])
        levels[-1].append((value, name))
    return [tuple(name for _, name in level) for level in levels]


def judged(better: Sequence[float], worse: Sequence[float]) -> str:
    """The verdict of one claim by the 95 % interval of the difference of means."""
    gap, half = difference(worse, better)
    if abs(gap) <= half:
        return UNRESOLVED
    return REPRODUCED if gap > 0 else CONTRADICTED


def verdicts(
    published: Mapping[str, Published],
    measured: Mapping[str, Sequence[float]],
    least_gap: float,
) -> dict[str, tuple[str, str]]:
    """Row -> (verdict, why): its worst claim decides, a contradiction before a lack of resolution."""
    found = {
        pair: judged(*(measured[name] for name in pair)) for pair in claims(published, least_gap)
    }
    return {name: _of_row(name, published[name].value, found) for name in published}


def _of_row(name: str, value: float | None, found: Mapping[Pair, str]) -> tuple[str, str]:
    own = {pair: verdict for pair, verdict in found.items() if name in pair}
    for verdict in (CONTRADICTED, UNRESOLVED, REPRODUCED):
        pairs = [pair for pair, judgement in own.items() if judgement == verdict]
        if pairs:
            return verdict, "; ".join(f"{a} before {b}" for a, b in pairs)
    return (NOT_PUBLISHED if value is None else ALONE), ""
