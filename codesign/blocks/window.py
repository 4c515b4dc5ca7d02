"""Sliding window: turns a picture into the windows of a convolution or pooling."""

from __future__ import annotations

from codesign.blocks.base import Block, Fold, Port
from codesign.blocks.folds import MEMORIES, check_lanes, lane_folds
from codesign.errors import InvariantBroken
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
    def extent(self) -> tuple[int, int]:
        """Pixels that the dilated kernel spans: (K - 1)*D + 1."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def out_height(self) -> int:
        """Rows of output pixels."""
        return (self.height - self.extent[0]) // self.stride[0] + 1

    @property
    def out_width(self) -> int:
        """Output pixels of a row."""
        return (self.width - self.extent[1]) // self.stride[1] + 1

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
