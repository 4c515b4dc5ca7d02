"""Sliding window: turns a picture into the windows of a convolution or pooling."""

from __future__ import annotations

import numpy as np

from codesign.blocks.base import Block, Fold, Params, Port
from codesign.blocks.folds import MEMORIES, check_lanes, lane_folds
from codesign.blocks.window_program import Axis, window_program
from codesign.errors import InvariantBroken
from codesign.program import Program
from codesign.types import QType


class Window(Block, frozen=True, kw_only=True):
    """The kernel's pixels for each output pixel, without padding (`Pad` does that).

    In (height, width, channels), out (oh, ow, kh*kw*channels), elements in the order ky, kx, c;
    pairs are (vertical, horizontal). `pe` channels a cycle. A 1-D network has height 1.
    """

    height: int
    width: int
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    dilation: tuple[int, int]
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

        Interval: the larger of height*width and oh*ow*kh*kw, times channels/pe. Stages: the line
        buffer's output register, and the read of a block RAM before it.
        """
        stages = 2 if self.fold.memory == "block" else 1
        return window_program(*self.axes, self.channels // self.fold.pe, stages)
