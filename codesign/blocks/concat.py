"""Concatenation: chunks of two streams in turn, for instance their channels pixel by pixel."""

from __future__ import annotations

from math import gcd
from typing import Self

import msgspec
import numpy as np

from codesign.blocks.arrays import carrier
from codesign.blocks.base import Block, Fold, Params, Port, Size
from codesign.blocks.control import control
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.blocks.programs import loop
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import Process, Program, Read, Segment
from codesign.rtl.instance import Rtl
from codesign.rtl.wire import wire_kind
from codesign.types import BIPOLAR, QType


class Concat(Block, frozen=True, kw_only=True):
    """`vectors` times: `chunks[0]` elements of in0, then `chunks[1]` of in1; `pe` a cycle.

    Values stay as they are, in a type that holds those of both inputs.
    """

    chunks: tuple[Size, Size]
    vectors: Size
    itypes: tuple[QType, QType]

    @property
    def otype(self) -> QType:
        """The type of both inputs, or the narrowest that holds the values of either."""
        a, b = self.itypes
        return a if a == b else QType.covering(min(a.min, b.min), max(a.max, b.max))

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        both = zip(self.itypes, self.chunks, strict=True)
        return tuple(Port(t, p, self.vectors * n // p) for t, n in both)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.otype, p, self.vectors * sum(self.chunks) // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(gcd(*self.chunks))

    def check(self) -> None:
        check_lanes(self.name, self.fold, gcd(*self.chunks))

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        frames, kind = len(inputs[0]), carrier(self.otype.min, self.otype.max)
        parts = [x.astype(kind, copy=False).reshape(frames, self.vectors, -1) for x in inputs]
        return (np.concatenate(parts, axis=2).reshape(frames, -1),)

    def program(self) -> Program:
        """Every event reads the input whose turn it is and writes the output.

        Interval: the beats of the output.
        """
        turns = tuple(
            Segment(n // self.fold.pe, (Read(f"in{i}"),), ("out0",))
            for i, n in enumerate(self.chunks)
        )
        return Program((Process("main", loop(self.vectors, turns)),))

    def rtl(self, params: Params, family: Family) -> Rtl:
        parameters = {"Pe": self.fold.pe, "OutBits": self.otype.bits}
        for i, (itype, chunk) in enumerate(zip(self.itypes, self.chunks, strict=True)):
            same = itype.bits == self.otype.bits
            parameters |= {
                f"Beats{i}": chunk // self.fold.pe,
                f"In{i}Bits": itype.bits,
                # A value of the output's width passes as it is, like an unsigned one.
                f"In{i}Kind": 0 if same else wire_kind(itype),
            }
        return Rtl("concat", parameters)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        bits = self.fold.pe * self.otype.bits
        return (
            # A 2-to-1 multiplexer a bit.
            CostTerm("multiplexer", Resources(lut=bits * family.mux(2))),
            # Counter: beat of both chunks.
            *control(family, 3, 0, sum(self.chunks) // self.fold.pe),
        )

    def retyped(self, *inputs: QType) -> Self:
        return msgspec.structs.replace(self, itypes=inputs)

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        kinds = (
            ((4, 8), 3, (QType(4), QType(4))),
            ((6, 3), 2, (QType(4, False), QType(3))),
            ((2, 2), 3, (BIPOLAR, QType(2, False))),
            ((10, 4), 1, (BIPOLAR, BIPOLAR)),
        )
        return tuple(
            (cls(name=f"concat_{i}", chunks=c, vectors=v, itypes=t), {})
            for i, (c, v, t) in enumerate(kinds)
        )
