"""Sliding window: turns a picture into the windows of a convolution or pooling."""

from __future__ import annotations

from typing import Self

import msgspec
import numpy as np

from codesign.blocks.base import Block, Fold, Params, Port, Size
from codesign.blocks.control import control, counters
from codesign.blocks.folds import MEMORIES, check_lanes, lane_folds
from codesign.blocks.memories import buffer, in_block_ram
from codesign.blocks.window_program import Axis, buffer_depth, window_program
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.errors import InvariantBroken
from codesign.program import Program
from codesign.rtl.instance import Rtl
from codesign.types import QType


class Window(Block, frozen=True, kw_only=True):
    """The kernel's pixels for each output pixel, without padding (`Pad` does that).

    In (height, width, channels), out (oh, ow, kh*kw*channels), elements in the order ky, kx, c;
    pairs are (vertical, horizontal). `pe` channels a cycle. A 1-D network has height 1.
    """

    height: Size
    width: Size
    channels: Size
    kernel: tuple[Size, Size]
    stride: tuple[Size, Size]
    dilation: tuple[Size, Size]
    itype: QType

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """The vertical and the horizontal course of the window."""
        size = (self.height, self.width)
        rows, columns = map(Axis, size, self.kernel, self.stride, self.dilation)
        return rows, columns

    @property
    def extent(self) -> tuple[int, int]:
        """Pixels that the dilated kernel spans."""
        return self.axes[0].extent, self.axes[1].extent

    @property
    def out_height(self) -> int:
        """Rows of output pixels."""
        return self.axes[0].steps

    @property
    def out_width(self) -> int:
        """Output pixels of a row."""
        return self.axes[1].steps

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.height * self.width * self.channels // p),)

    def outputs(self) -> tuple[Port, ...]:
        p, (kh, kw) = self.fold.pe, self.kernel
        pixels = self.out_height * self.out_width
        return (Port(self.itype, p, pixels * kh * kw * self.channels // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels, memories=MEMORIES)

    def check(self) -> None:
        if self.out_height < 1 or self.out_width < 1:
            raise InvariantBroken(
                f"{self.name}: the kernel spans {self.extent} pixels and must fit the picture "
                f"({self.height}, {self.width}); pad it first",
                block=self.name,
            )
        check_lanes(self.name, self.fold, self.channels, memories=MEMORIES)

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        """The result holds kh*kw times the input: pass frames in portions that fit the memory."""
        (x,) = inputs
        (eh, ew), (sh, sw), (dh, dw) = self.extent, self.stride, self.dilation
        picture = x.reshape(len(x), self.height, self.width, self.channels)
        views = np.lib.stride_tricks.sliding_window_view(picture, (eh, ew), axis=(1, 2))
        taps = views[:, ::sh, ::sw, :, ::dh, ::dw]  # (frames, oh, ow, channels, kh, kw)
        return (taps.transpose(0, 1, 2, 4, 5, 3).reshape(len(x), -1),)

    def program(self) -> Program:
        """A reader fills the line buffer, a writer walks over the windows in it.

        Interval: the larger of height*width and oh*ow*kh*kw, times channels/pe.
        """
        return window_program(*self.axes, self.channels // self.fold.pe, self.latency_cycles)

    @property
    def latency_cycles(self) -> int:
        """Stages: the line buffer's output register, and the read of a block RAM before it."""
        return 2 if self.fold.memory == "block" else 1

    def rtl(self, params: Params, family: Family) -> Rtl:
        groups = self.channels // self.fold.pe
        depth = buffer_depth(*self.axes, groups)
        parameters = {
            "Pe": self.fold.pe,
            "Groups": groups,
            "Bits": self.itype.bits,
            "Height": self.height,
            "Width": self.width,
            "KernelV": self.kernel[0],
            "KernelH": self.kernel[1],
            "StrideV": self.stride[0],
            "StrideH": self.stride[1],
            "DilationV": self.dilation[0],
            "DilationH": self.dilation[1],
            "Depth": depth,
            "Style": int(in_block_ram(depth, self.fold.memory)),
            "Stages": self.latency_cycles,
        }
        return Rtl("window", parameters)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        groups, bits = self.channels // self.fold.pe, self.fold.pe * self.itype.bits
        depth = buffer_depth(*self.axes, groups)
        pointer = depth.bit_length()
        # The writer's pointers: first pixel of the window, and this plus the offset of the tap; the
        # reader's pointer and the count of free slots: an adder and a register each.
        pointers = Resources(lut=4 * family.adder(pointer), ff=4 * pointer)
        # Counters of the reader: beat of a row, row; of the writer: group, taps, position.
        reader = counters(family, self.width * groups, self.height)
        writer = (groups, *self.kernel, self.out_width, self.out_height)
        return (
            # The line buffer and its output register.
            buffer(family, "line buffer", depth, bits, self.fold.memory),
            CostTerm("addresses", pointers + reader),
            control(family, 4, self.latency_cycles, *writer),
        )

    def retyped(self, *inputs: QType) -> Self:
        return msgspec.structs.replace(self, itype=inputs[0])

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        # (height, width), kernel, stride, dilation: overlapping, pooling, stride > kernel on a
        # non-square picture, dilated with an unused border, 1-D.
        geometries = (
            ((6, 5), (3, 3), (1, 1), (1, 1)),
            ((6, 6), (2, 2), (2, 2), (1, 1)),
            ((7, 8), (2, 1), (3, 2), (1, 1)),
            ((9, 8), (3, 2), (2, 1), (2, 3)),
            ((1, 12), (1, 3), (1, 2), (1, 2)),
        )
        return tuple((_example(cls, i, *g), {}) for i, g in enumerate(geometries))


def _example(cls: type[Window], number: int, size: tuple[int, int], *course: tuple) -> Window:
    kernel, stride, dilation = course
    return cls(
        name=f"window_{number}",
        height=size[0],
        width=size[1],
        channels=4,
        kernel=kernel,
        stride=stride,
        dilation=dilation,
        itype=QType(4, False),
    )
