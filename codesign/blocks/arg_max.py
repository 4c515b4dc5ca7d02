"""ArgMax: the class a network answers with."""

from __future__ import annotations

from codesign.blocks.base import Block, Fold, Port
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.types import QType


class ArgMax(Block, frozen=True, kw_only=True):
    """Index of the largest of `classes` values, the lowest index among equals.

    `pe` values a cycle; in (vectors, classes), out (vectors, 1) of type `otype`.
    """

    classes: int
    vectors: int
    itype: QType
    otype: QType

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.classes // p),)

    def outputs(self) -> tuple[Port, ...]:
        return (Port(self.otype, 1, self.vectors),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.classes)

    def check(self) -> None:
        check_lanes(self.name, self.fold, self.classes)
