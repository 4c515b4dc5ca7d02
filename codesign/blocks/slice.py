"""Slice: a range of every chunk of a stream, for instance some of its channels."""

from __future__ import annotations

from math import gcd
from typing import Self

import msgspec
import numpy as np

from codesign.blocks.base import Block, Fold, Natural, Params, Port, Size
from codesign.blocks.control import control, ended
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.blocks.programs import loop, segment
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm
from codesign.errors import InvariantBroken
from codesign.program import Process, Program, Read
from codesign.rtl.instance import Rtl
from codesign.types import BIPOLAR, QType


class Slice(Block, frozen=True, kw_only=True):
    """Elements `start` to `start + count` of each of `vectors` chunks; `pe` a cycle."""

    chunk: Size
    start: Natural
    count: Size
    vectors: Size
    itype: QType

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.chunk // p),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.count // p),)

    @property
    def grain(self) -> int:
        """Most lanes: beats must not straddle the ends of the range."""
        return gcd(self.chunk, self.start, self.count)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.grain)

    def check(self) -> None:
        if self.start + self.count > self.chunk:
            raise InvariantBroken(
                f"{self.name}: elements {self.start} to {self.start + self.count} must lie within "
                f"chunks of {self.chunk}; build the design again",
                block=self.name,
            )
        check_lanes(self.name, self.fold, self.grain)

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        chunks = x.reshape(len(x), self.vectors, self.chunk)
        return (chunks[:, :, self.start : self.start + self.count].reshape(len(x), -1),)

    def program(self) -> Program:
        """Every beat is read, those of the range are written.

        Interval: the beats of the input.
        """
        p, read = self.fold.pe, (Read("in0"),)
        rest = self.chunk - self.start - self.count
        parts = (
            *segment(self.start // p, read),
            *segment(self.count // p, read, ("out0",)),
            *segment(rest // p, read),
        )
        return Program((Process("main", loop(self.vectors, parts)),))

    def rtl(self, params: Params, family: Family) -> Rtl:
        p = self.fold.pe
        parameters = {
            "Width": p * self.itype.bits,
            "Beats": self.chunk // p,
            "First": self.start // p,
            "Count": self.count // p,
        }
        return Rtl("slice", parameters)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        # Wires; a counter: beat of a chunk.
        return control(family, 2, 0, *ended(self.chunk // self.fold.pe))

    def retyped(self, *inputs: QType) -> Self:
        return msgspec.structs.replace(self, itype=inputs[0])

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        kinds = ((8, 4, 4, 3, QType(4)), (6, 0, 2, 2, BIPOLAR), (5, 1, 3, 2, QType(3, False)))
        return tuple(
            (cls(name=f"slice_{i}", chunk=n, start=s, count=c, vectors=v, itype=t), {})
            for i, (n, s, c, v, t) in enumerate(kinds)
        )
