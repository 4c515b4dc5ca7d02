"""ArgMax: the class a network answers with."""

from __future__ import annotations

from math import ceil
from typing import Self

import msgspec
import numpy as np

from codesign.blocks.adders import LEVELS_A_STAGE, tree_stages
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
        beats, bits, index = self.classes // self.fold.pe, self.itype.bits, self.otype.bits
        several = beats > 1
        # An earlier beat's best is compared with the new one, and its index is added up.
        compared = family.adder(bits) if several else 0
        indices = index * (several + (several and self.fold.pe > 1))
        return (
            *self._tournament(family),
            # The best so far, of a vector that comes in several beats, and its index.
            CostTerm("best", Resources(lut=compared, ff=bits if several else 0)),
            CostTerm("index", Resources(lut=indices, ff=index * (1 + several))),
            # Counter: beat of a vector.
            *control(family, 2, self.latency_cycles, beats),
        )

    def _tournament(self, family: Family) -> tuple[CostTerm, CostTerm]:
        """A comparator for each match; and behind level l multiplexers of the value, which nobody
        needs of the last match of a lone beat, and of the l - 1 bits of an index found before."""
        bits, left, level, last = self.itype.bits, self.fold.pe, 0, self.classes == self.fold.pe
        matches, chosen, flip_flops = self.fold.pe - 1, 0.0, 0
        while left > 1:
            value = 0 if last and left == 2 else bits
            chosen += (left // 2) * (value + level) * family.mux(2)
            left, level = ceil(left / 2), level + 1
            if level % LEVELS_A_STAGE == 0 or left == 1:
                flip_flops += left * (value + level)
        return (
            CostTerm("comparators", Resources(lut=matches * family.adder(bits))),
            CostTerm("tournament", Resources(lut=chosen, ff=flip_flops)),
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
