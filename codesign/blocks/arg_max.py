"""ArgMax: the class a network answers with."""

from __future__ import annotations

import numpy as np

from codesign.blocks.adders import tree_stages
from codesign.blocks.arrays import narrowed
from codesign.blocks.base import Block, Fold, Params, Port
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.blocks.programs import reduction
from codesign.program import Program
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

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        best = x.reshape(len(x), self.vectors, self.classes).argmax(axis=2)
        return (narrowed(best, self.otype, self.name),)

    def program(self) -> Program:
        """The last beat of a vector writes the index of the best.

        Interval: vectors * classes/pe cycles. Stages: a register every two levels of the tournament
        over the lanes, then the comparison with the best so far.
        """
        return reduction(
            self.classes // self.fold.pe, 1, self.vectors, 1 + tree_stages(self.fold.pe)
        )
