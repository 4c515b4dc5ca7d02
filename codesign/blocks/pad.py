"""Padding: a border of one value around a picture."""

from __future__ import annotations

from codesign.blocks.base import Block, Fold, Port
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.types import QType


class Pad(Block, frozen=True, kw_only=True):
    """Surrounds (height, width, channels) by `value`; `pe` channels a cycle."""

    height: int
    width: int
    channels: int
    top: int
    bottom: int
    left: int
    right: int
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
