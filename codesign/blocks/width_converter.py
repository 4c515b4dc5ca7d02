"""Width converter: the same elements in beats of another number of lanes."""

from __future__ import annotations

from typing import Self

import msgspec
import numpy as np

from codesign.blocks.base import Block, Fold, Params, Port, Size, require_divides
from codesign.blocks.folds import check_choice
from codesign.blocks.programs import segment
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import Program, Read, Segment, simple
from codesign.rtl.instance import Rtl
from codesign.types import QType


class WidthConverter(Block, frozen=True, kw_only=True):
    """Joins or splits beats; the larger of the two lanes is a multiple of the smaller.

    Its lanes are those of its neighbours, so it has one fold. In and out: `elements` a frame.
    """

    in_lanes: Size
    out_lanes: Size
    elements: Size
    itype: QType

    def inputs(self) -> tuple[Port, ...]:
        return (Port(self.itype, self.in_lanes, self.elements // self.in_lanes),)

    def outputs(self) -> tuple[Port, ...]:
        return (Port(self.itype, self.out_lanes, self.elements // self.out_lanes),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return (Fold(),)

    def check(self) -> None:
        small, large = sorted((self.in_lanes, self.out_lanes))
        require_divides(self.name, "the smaller side", small, "the lanes of the larger", large)
        require_divides(
            self.name, "the larger side", large, "the elements of a frame", self.elements
        )
        check_choice(self.name, "pe", self.fold.pe, (1,))
        check_choice(self.name, "simd", self.fold.simd, (1,))
        check_choice(self.name, "multiplier", self.fold.multiplier, ("lut",))
        check_choice(self.name, "memory", self.fold.memory, ("lut",))

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        return inputs

    def program(self) -> Program:
        """Joining collects narrow beats and writes with the last; splitting peeks at the wide one.

        Interval: the beats of the narrower side. Wires and one multiplexer, so no stage.
        """
        beats = self.elements // max(self.in_lanes, self.out_lanes)
        if self.in_lanes <= self.out_lanes:
            ratio, read = self.out_lanes // self.in_lanes, (Read("in0"),)
            parts = (*segment(ratio - 1, read), Segment(1, read, ("out0",)))
        else:
            peek = Read("in0", release=0, release_last=1)
            parts = (Segment(self.in_lanes // self.out_lanes, (peek,), ("out0",)),)
        return simple("main", *parts, repeat=beats)

    def rtl(self, params: Params, family: Family) -> Rtl:
        lanes = {"InLanes": self.in_lanes, "OutLanes": self.out_lanes}
        return Rtl("width_converter", lanes | {"Bits": self.itype.bits})

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        narrow = min(self.in_lanes, self.out_lanes)
        ratio = max(self.in_lanes, self.out_lanes) // narrow
        bits = narrow * self.itype.bits
        # Joining: a register for each narrow beat but the last. Splitting: a multiplexer a bit.
        if self.in_lanes <= self.out_lanes:
            data = CostTerm("collected beats", Resources(ff=bits * (ratio - 1)))
        else:
            data = CostTerm("multiplexer", Resources(lut=bits * family.selector(ratio)))
        # Counter: narrow beat of a wide one; its end is part of both acknowledges.
        counter = (ratio - 1).bit_length()
        return data, CostTerm("control", Resources(lut=2 + counter, ff=counter))

    def retyped(self, *inputs: QType) -> Self:
        return msgspec.structs.replace(self, itype=inputs[0])

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        return tuple(
            (cls(name=f"width_{i}to{o}", in_lanes=i, out_lanes=o, elements=24, itype=QType(3)), {})
            for i, o in ((1, 4), (6, 2), (12, 1), (3, 3))
        )
