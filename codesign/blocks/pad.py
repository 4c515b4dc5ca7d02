"""Padding: a border of one value around a picture."""

from __future__ import annotations

from typing import Self

import msgspec
import numpy as np

from codesign.blocks.arrays import carrier
from codesign.blocks.base import Block, Fold, Natural, Params, Port, Size
from codesign.blocks.control import control, ended
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.blocks.programs import loop, segment
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import Process, Program, Read, Segment
from codesign.rtl.instance import Rtl
from codesign.rtl.wire import wire_code
from codesign.types import BIPOLAR, QType


class Pad(Block, frozen=True, kw_only=True):
    """Surrounds (height, width, channels) by `value`; `pe` channels a cycle."""

    height: Size
    width: Size
    channels: Size
    top: Natural
    bottom: Natural
    left: Natural
    right: Natural
    value: int
    itype: QType

    @property
    def out_height(self) -> int:
        """Rows with the border."""
        return self.height + self.top + self.bottom

    @property
    def out_width(self) -> int:
        """Pixels of a row with the border."""
        return self.width + self.left + self.right

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.height * self.width * self.channels // p),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.out_height * self.out_width * self.channels // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels)

    def check(self) -> None:
        check_lanes(self.name, self.fold, self.channels)

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        picture = x.reshape(len(x), self.height, self.width, self.channels)
        border = ((0, 0), (self.top, self.bottom), (self.left, self.right), (0, 0))
        kind = carrier(self.itype.min, self.itype.max)
        padded = np.pad(picture.astype(kind, copy=False), border, constant_values=self.value)
        return (padded.reshape(len(x), -1),)

    def program(self) -> Program:
        """Inside the picture a beat is read and written; on the border it is written only.

        Interval: the beats of the output.
        """
        fold = self.channels // self.fold.pe
        inside = Segment(self.width * fold, (Read("in0"),), ("out0",))
        head = segment((self.top * self.out_width + self.left) * fold, (), ("out0",))
        between = segment((self.right + self.left) * fold, (), ("out0",))
        tail = segment((self.right + self.bottom * self.out_width) * fold, (), ("out0",))
        loops = (
            *loop(1, head),
            *loop(self.height - 1, (inside, *between)),
            *loop(1, (inside, *tail)),
        )
        return Program((Process("main", loops),))

    def rtl(self, params: Params, family: Family) -> Rtl:
        parameters = {
            "Pe": self.fold.pe,
            "Groups": self.channels // self.fold.pe,
            "Bits": self.itype.bits,
            "Height": self.height,
            "Width": self.width,
            "Top": self.top,
            "Bottom": self.bottom,
            "Left": self.left,
            "Right": self.right,
            "Value": wire_code(self.value, self.itype),
        }
        return Rtl("pad", parameters)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        groups = self.channels // self.fold.pe
        return (
            # An AND or OR a bit puts the constant in place of the data.
            CostTerm("border", Resources(lut=self.fold.pe * self.itype.bits)),
            # Counters: beat of a row, row.
            *control(family, 2, 0, *ended(self.out_width * groups, self.out_height)),
        )

    def retyped(self, *inputs: QType) -> Self:
        (itype,) = inputs
        value = min(max(self.value, itype.min), itype.max)
        return msgspec.structs.replace(self, itype=itype, value=value)

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        borders = ((1, 1, 1, 1), (0, 2, 1, 0), (2, 0, 0, 0), (0, 0, 0, 3))
        return tuple((_example(cls, *border), {}) for border in borders)


def _example(cls: type[Pad], top: int, bottom: int, left: int, right: int) -> Pad:
    return cls(
        name=f"pad_{top}{bottom}{left}{right}",
        height=3,
        width=2,
        channels=4,
        top=top,
        bottom=bottom,
        left=left,
        right=right,
        value=-1,
        itype=BIPOLAR,
    )
