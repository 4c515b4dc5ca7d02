"""ArgMax: the class a network answers with."""

from __future__ import annotations

from math import ceil
from typing import Self

import msgspec
import numpy as np

from codesign.blocks.adders import tree_stages
from codesign.blocks.arrays import narrowed
from codesign.blocks.base import Block, Fold, Params, Port, Size
from codesign.blocks.control import control
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.blocks.programs import reduction
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import Program
from codesign.rtl.instance import Rtl
from codesign.rtl.wire import wire_kind
from codesign.types import QType


class ArgMax(Block, frozen=True, kw_only=True):
    """Index of the largest of `classes` values, the lowest index among equals.

    `pe` values a cycle; in (vectors, classes), out (vectors, 1) of type `otype`.
    """

    classes: Size
    vectors: Size
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

        Interval: vectors * classes/pe cycles.
        """
        beats = self.classes // self.fold.pe
        return reduction(beats, 1, self.vectors, self.latency_cycles)

    @property
    def latency_cycles(self) -> int:
        """Stages: a register every two levels of the tournament over the lanes, then the comparison
        with the best so far."""
        return 1 + tree_stages(self.fold.pe)

    def rtl(self, params: Params, family: Family) -> Rtl:
        parameters = {
            "Pe": self.fold.pe,
            "Beats": self.classes // self.fold.pe,
            "InBits": self.itype.bits,
            "InKind": wire_kind(self.itype),
            "OutBits": self.otype.bits,
        }
        return Rtl("arg_max", parameters)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        p, beats = self.fold.pe, self.classes // self.fold.pe
        pair = self.itype.bits + self.otype.bits
        # A match: a comparator, and a 2-to-1 multiplexer for value and index.
        match = Resources(lut=family.adder(self.itype.bits) + pair * family.mux(2))
        stages = self.latency_cycles
        # The values that are left at each register of the tournament.
        left = sum(ceil(p / 4 ** (k + 1)) for k in range(stages - 1))
        return (
            CostTerm("tournament", match.scaled(p - 1) + Resources(ff=left * pair)),
            # The best so far, of a vector that comes in several beats.
            CostTerm("best", match.scaled(beats > 1) + Resources(ff=pair)),
            # Counter: beat of a vector.
            control(family, 2, stages, beats),
        )

    def retyped(self, *inputs: QType) -> Self:
        return msgspec.structs.replace(self, itype=inputs[0])

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        kinds = ((10, 1, QType(6)), (6, 3, QType(2)))
        return tuple(
            (cls(name=f"arg_max_{n}", classes=n, vectors=v, itype=t, otype=QType(4, False)), {})
            for n, v, t in kinds
        )
