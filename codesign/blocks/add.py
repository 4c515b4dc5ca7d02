"""Scaled addition of two streams: the join of a residual connection."""

from __future__ import annotations

import numpy as np

from codesign.blocks.arrays import carrier, magnitude, narrowed
from codesign.blocks.base import Block, Fold, Params, Port
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.blocks.multipliers import constant_adders
from codesign.blocks.programs import one_to_one
from codesign.program import Program
from codesign.types import QType


class Add(Block, frozen=True, kw_only=True):
    """y = a*scales[0] + b*scales[1]; `pe` channels a cycle; all ports (vectors, channels)."""

    channels: int
    vectors: int
    itypes: tuple[QType, QType]
    scales: tuple[int, int]
    otype: QType

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return tuple(Port(t, p, self.vectors * self.channels // p) for t in self.itypes)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.otype, p, self.vectors * self.channels // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels)

    def check(self) -> None:
        check_lanes(self.name, self.fold, self.channels)

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (a, b), (sa, sb) = inputs, self.scales
        bound = sum(abs(s) * magnitude(t) for s, t in zip(self.scales, self.itypes, strict=True))
        kind = carrier(-bound, bound)
        y = a.astype(kind) * kind(sa) + b.astype(kind) * kind(sb)
        return (narrowed(y, self.otype, self.name),)

    def program(self) -> Program:
        """A beat of each input, one of the output.

        Interval: vectors * channels/pe cycles. Stages: the products with the scales, unless these
        are powers of two, and the sum.
        """
        beats = self.vectors * self.channels // self.fold.pe
        stages = 1 + any(constant_adders(scale) for scale in self.scales)
        return one_to_one(beats, reads=("in0", "in1"), latency_cycles=stages)
