"""Zero insertion: pixels moved apart, the first half of a transposed convolution."""

from __future__ import annotations

from typing import Self

import msgspec
import numpy as np

from codesign.blocks.arrays import carrier
from codesign.blocks.base import Block, Fold, Params, Port, Size
from codesign.blocks.control import control, ended
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.blocks.programs import loop, segment
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import Process, Program, Read, Segment
from codesign.rtl.instance import Rtl
from codesign.rtl.wire import wire_code
from codesign.types import BIPOLAR, QType


class ZeroInsert(Block, frozen=True, kw_only=True):
    """(height, width, channels) with `stride` - 1 rows and columns of `value` between its own.

    Out ((height - 1)*stride[0] + 1, (width - 1)*stride[1] + 1, channels); `pe` channels a cycle.
    """

    height: Size
    width: Size
    channels: Size
    stride: tuple[Size, Size]
    value: int
    itype: QType

    @property
    def out_height(self) -> int:
        """Rows of the result."""
        return (self.height - 1) * self.stride[0] + 1

    @property
    def out_width(self) -> int:
        """Pixels of a row of the result."""
        return (self.width - 1) * self.stride[1] + 1

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
        shape = (len(x), self.out_height, self.out_width, self.channels)
        out = np.full(shape, self.value, carrier(self.itype.min, self.itype.max))
        picture = x.reshape(len(x), self.height, self.width, self.channels)
        out[:, :: self.stride[0], :: self.stride[1]] = picture
        return (out.reshape(len(x), -1),)

    def program(self) -> Program:
        """A pixel of the input is read and written, one between them is written only.

        Interval: the beats of the output.
        """
        groups, (down, right) = self.channels // self.fold.pe, self.stride
        pixel = (Segment(groups, (Read("in0"),), ("out0",)),)
        gap = segment((right - 1) * groups, (), ("out0",))
        rows = segment((down - 1) * self.out_width * groups, (), ("out0",))
        row = (*pixel, *gap) * (self.width - 1) + pixel
        loops = (*loop(self.height - 1, (*row, *rows)), *loop(1, row))
        return Program((Process("main", loops),))

    def rtl(self, params: Params, family: Family) -> Rtl:
        parameters = {
            "Pe": self.fold.pe,
            "Groups": self.channels // self.fold.pe,
            "Bits": self.itype.bits,
            "Height": self.height,
            "Width": self.width,
            "StrideV": self.stride[0],
            "StrideH": self.stride[1],
            "Value": wire_code(self.value, self.itype),
        }
        return Rtl("zero_insert", parameters)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        groups = self.channels // self.fold.pe
        # Without rows to insert nobody asks which row it is; a flip-flop is left of that.
        down = self.stride[0] > 1
        lengths = (groups, *self.stride, self.width, *((self.height,) if down else ()))
        return (
            # An AND or OR a bit puts the constant in place of the data.
            CostTerm("insertion", Resources(lut=self.fold.pe * self.itype.bits, ff=1 - down)),
            # Counters: group of channels, place between pixels and rows, pixel, row.
            *control(family, 2, 0, *ended(*lengths)),
        )

    def retyped(self, *inputs: QType) -> Self:
        (itype,) = inputs
        value = min(max(self.value, itype.min), itype.max)
        return msgspec.structs.replace(self, itype=itype, value=value)

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        kinds = (
            ((3, 2), (2, 2), 0, QType(4)),
            ((2, 3), (1, 3), 5, QType(3, False)),
            ((1, 4), (2, 2), -1, BIPOLAR),
            ((3, 1), (3, 1), 0, QType(2)),
        )
        return tuple(
            (
                cls(
                    name=f"zero_insert_{i}",
                    height=size[0],
                    width=size[1],
                    channels=4,
                    stride=stride,
                    value=value,
                    itype=itype,
                ),
                {},
            )
            for i, (size, stride, value, itype) in enumerate(kinds)
        )
