"""Maximum pooling behind a window."""

from __future__ import annotations

from codesign.blocks.base import Block, Fold, Port
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.types import QType


class MaxPool(Block, frozen=True, kw_only=True):
    """y[c] = max over k of x[k, c] for each vector.

    `pe` channels a cycle; in (vectors, taps, channels), out (vectors, channels).
    """

    channels: int
    taps: int
    vectors: int
    itype: QType

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.taps * self.channels // p),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.channels // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels)

    def check(self) -> None:
        check_lanes(self.name, self.fold, self.channels)
