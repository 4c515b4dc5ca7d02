"""Maximum pooling behind a window."""

from __future__ import annotations

import numpy as np

from codesign.blocks.base import Block, Fold, Params, Port
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.blocks.programs import reduction
from codesign.program import Program
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

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        taps = x.reshape(len(x), self.vectors, self.taps, self.channels)
        return (taps.max(axis=2).reshape(len(x), -1),)

    def program(self) -> Program:
        """The maxima of all channels stay in a small memory; the last tap writes the results.

        Interval: vectors * taps * channels/pe cycles. Stage: the comparison.
        """
        return reduction(self.taps, self.channels // self.fold.pe, self.vectors, 1)
