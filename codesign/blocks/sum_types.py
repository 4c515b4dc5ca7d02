"""Types of sums, and how they follow their terms when bit widths change."""

from __future__ import annotations

from codesign.types import QType


def scaled_range(qtype: QType, factor: int) -> tuple[int, int]:
    """Least and largest value of `factor` * x for x of `qtype`."""
    ends = factor * qtype.min, factor * qtype.max
    return min(ends), max(ends)


def sum_type(*ranges: tuple[int, int]) -> QType:
    """Narrowest integer type of a sum of one value of each (least, largest) range."""
    return QType.covering(sum(low for low, _ in ranges), sum(high for _, high in ranges))


def products_type(terms: int, a: QType, b: QType) -> QType:
    """Narrowest integer type of any sum of `terms` products a*b."""
    corners = [x * y for x in (a.min, a.max) for y in (b.min, b.max)]
    return sum_type((terms * min(corners), terms * max(corners)))


def followed(result: QType, before: QType, after: QType) -> QType:
    """`result` for terms whose worst case has type `after` and had type `before`.

    Real weights need fewer bits than the worst case of their type; this keeps that difference.
    """
    if before == after:
        return result
    signed = result.signed if before.signed == after.signed else after.signed
    return QType(max(1 + signed, result.bits + after.bits - before.bits), signed)
