"""Sum pooling behind a window; the division of an average is part of the quantiser after it."""

from __future__ import annotations

from codesign.blocks.base import Block, Fold, Port
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.types import QType


class SumPool(Block, frozen=True, kw_only=True):
    """y[c] = sum over k of x[k, c] for each vector.

    `pe` channels a cycle; in (vectors, taps, channels), out (vectors, channels) of type `otype`.
    Global pooling is taps = H*W, vectors = 1 and needs no window.
    """

    channels: int
    taps: int
    vectors: int
    itype: QType
    otype: QType

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.taps * self.channels // p),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.otype, p, self.vectors * self.channels // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels)

    def check(self) -> None:
        check_lanes(self.name, self.fold, self.channels)
