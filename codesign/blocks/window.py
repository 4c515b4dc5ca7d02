"""Sliding window: turns a picture into the windows of a convolution or pooling."""

from __future__ import annotations

from typing import Self

import msgspec
import numpy as np

from codesign.blocks.base import Block, Fold, Params, Port, Size
from codesign.blocks.control import control, counters, ended
from codesign.blocks.folds import MEMORIES
from codesign.blocks.memories import buffer, ram_style
from codesign.blocks.tap_folds import check_taps, tap_folds
from codesign.blocks.window_parallel import bank_parameters, column_terms, parallel_program
from codesign.blocks.window_program import Axis, buffer_depth, window_program
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.errors import InvariantBroken
from codesign.program import Program
from codesign.rtl.instance import Rtl
from codesign.types import QType

# Up to so many banks of LUT RAM the read multiplexer is a LUT or two a bit.
FEW_BANKS = 5


class Window(Block, frozen=True, kw_only=True):
    """The kernel's pixels for each output pixel, without padding (`Pad` does that).

    In (height, width, channels), out (oh, ow, kh*kw*channels), elements in the order ky, kx, c;
    pairs are (vertical, horizontal). `pe` channels of `simd` taps a cycle: one tap, or with all
    channels a row of the kernel or all of it. A 1-D network has height 1.
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
        lanes, (kh, kw) = self.fold.pe * self.fold.simd, self.kernel
        pixels = self.out_height * self.out_width
        return (Port(self.itype, lanes, pixels * kh * kw * self.channels // lanes),)

    @property
    def simds(self) -> tuple[int, ...]:
        """Taps that one beat may hold."""
        kh, kw = self.kernel
        return tuple(sorted({1, kw, kh * kw}))

    @property
    def parallel(self) -> bool:
        """True when a beat holds several taps."""
        return self.fold.simd > 1

    @property
    def beats(self) -> int:
        """Beats of a window for each group of channels."""
        return self.kernel[0] * self.kernel[1] // self.fold.simd

    def legal_folds(self) -> tuple[Fold, ...]:
        return tap_folds(self.channels, self.simds, memories=MEMORIES)

    def check(self) -> None:
        if self.out_height < 1 or self.out_width < 1:
            raise InvariantBroken(
                f"{self.name}: the kernel spans {self.extent} pixels and must fit the picture "
                f"({self.height}, {self.width}); pad it first",
                block=self.name,
            )
        check_taps(self.name, self.fold, self.channels, self.simds, memories=MEMORIES)

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

        Interval: one tap a beat, the larger of height*width and oh*ow*kh*kw, times channels/pe. With
        several, the larger of height*width and oh*(columns + ow*(beats - 1)), where columns are the
        pixels of a row that windows use and beats those of a window.
        """
        if self.parallel:
            return parallel_program(*self.axes, self.beats, self.latency_cycles)
        return window_program(*self.axes, self.channels // self.fold.pe, self.latency_cycles)

    @property
    def latency_cycles(self) -> int:
        """Stages: the line buffer's output register, the read of a block RAM before it, and the
        registers of parallel taps."""
        return 1 + (self.fold.memory == "block") + self.parallel

    def rtl(self, params: Params, family: Family) -> Rtl:
        bits, kernel, stride, dilation = self.itype.bits, self.kernel, self.stride, self.dilation
        geometry = {
            "Height": self.height,
            "Width": self.width,
            "KernelV": kernel[0],
            "KernelH": kernel[1],
            "StrideV": stride[0],
            "StrideH": stride[1],
            "DilationV": dilation[0],
            "DilationH": dilation[1],
            "Stages": self.latency_cycles,
        }
        if self.parallel:
            pixel = {"Bits": self.channels * bits, "Beats": self.beats}
            banks = bank_parameters(family, *self.axes, self.fold.memory)
            return Rtl("window_parallel", pixel | geometry | banks)
        groups = self.channels // self.fold.pe
        depth = buffer_depth(*self.axes, groups)
        lanes = {"Pe": self.fold.pe, "Groups": groups, "Bits": bits}
        memory = {"Depth": depth, "Style": ram_style(family, depth, self.fold.memory)}
        return Rtl("window", lanes | geometry | memory)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        if self.parallel:
            return self._parallel_terms(family)
        groups, bits = self.channels // self.fold.pe, self.fold.pe * self.itype.bits
        depth = buffer_depth(*self.axes, groups)
        # Offset of the tap, its sum with the first pixel of the window, pixels that are there, all in
        # tokens; first pixel and count move by whole pixels, of groups with so many low zeros.
        pointer = depth.bit_length()
        moved = pointer - (groups & -groups).bit_length() + 1
        steps = Resources(lut=3 * family.adder(pointer), ff=4 * pointer)
        steps += counters(family, depth) + self._reader(family, groups)
        # Counters of the writer: group, taps, position.
        writer = ended(groups, *self.kernel, self.out_width, self.out_height)
        return (
            # The line buffer and its output register.
            self._lines(family, depth, bits),
            # A further register of what comes out of a block RAM.
            CostTerm("output register", Resources(ff=bits * (self.latency_cycles - 1))),
            CostTerm("addresses", steps),
            # Both wrap at the end of the buffer, as does the offset of the row.
            CostTerm("moves", Resources(lut=6 * family.adder(moved))),
            *control(family, 4, self.latency_cycles, *writer),
        )

    def _lines(self, family: Family, depth: int, bits: int) -> CostTerm:
        """LUT RAM of many banks has a name of its own: the selection among them lies behind the sum
        of addresses, which synthesis often doubles for a shorter path."""
        many = self.fold.memory == "lut" and family.lutram_banks(depth) > FEW_BANKS
        name = "line buffer of many banks" if many else "line buffer"
        return buffer(family, name, depth, bits, self.fold.memory)

    def _parallel_terms(self, family: Family) -> tuple[CostTerm, ...]:
        """Counters of the writer: beat, column, columns until the next window, row of windows."""
        columns = self.axes[1]
        writer = (self.beats, columns.kept, columns.extent, self.out_height)
        bits, further = self.channels * self.itype.bits, self.latency_cycles - 2
        return (
            *column_terms(family, *self.axes, bits, self.beats, self.fold.memory),
            CostTerm("reader", self._reader(family, 1)),
            # A further register of the column that comes out of block RAMs.
            CostTerm("output register", Resources(ff=self.kernel[0] * bits * further)),
            *control(family, 4, self.latency_cycles, *writer),
        )

    def _reader(self, family: Family, groups: int) -> Resources:
        """Counters of the reader: beat of a row, row, and both modulo the stride."""
        down, right = self.stride
        return counters(family, *ended(self.width * groups, self.height, right * groups, down))

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
