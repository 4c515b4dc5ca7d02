"""Depthwise unit: each channel is filtered by itself, behind a window."""

from __future__ import annotations

import numpy as np

from codesign.blocks.arrays import exact_kind, magnitude, narrowed
from codesign.blocks.base import Block, Fold, ParamRef, Params, Port
from codesign.blocks.folds import MEMORIES, check_lanes, lane_folds, multipliers_of
from codesign.blocks.multipliers import product_stages
from codesign.blocks.programs import reduction
from codesign.program import Program
from codesign.types import QType


class Depthwise(Block, frozen=True, kw_only=True):
    """y[c] = sum over k of W[c, k] * x[k, c] for each vector; W has shape (channels, taps).

    `pe` channels a cycle; in (vectors, taps, channels), out (vectors, channels) of type `acc`.
    """

    channels: int
    taps: int
    vectors: int
    itype: QType
    wtype: QType
    acc: QType
    weight: ParamRef

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.taps * self.channels // p),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.acc, p, self.vectors * self.channels // p),)

    def legal_folds(self) -> tuple[Fold, ...]:
        return lane_folds(self.channels, multipliers_of(self.itype, self.wtype), MEMORIES)

    def check(self) -> None:
        kinds = multipliers_of(self.itype, self.wtype)
        check_lanes(self.name, self.fold, self.channels, kinds, MEMORIES)

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        taps = x.reshape(len(x) * self.vectors, self.taps, self.channels)
        weight = params[self.weight.name]
        heaviest = int(abs(weight.astype(object)).sum(axis=1).max())
        kind = exact_kind(magnitude(self.itype) * heaviest)
        total = np.zeros((len(taps), self.channels), kind)
        for k, column in enumerate(weight.T.astype(kind)):
            total += taps[:, k] * column
        return (narrowed(total, self.acc, self.name).reshape(len(x), -1),)

    def program(self) -> Program:
        """Accumulators of all channels stay in a small memory; the last tap writes the results.

        Interval: vectors * taps * channels/pe cycles. Stages: weight and operand registers, the
        product where it is registered, the accumulator.
        """
        stages = 2 + product_stages(self.itype, self.wtype)
        return reduction(self.taps, self.channels // self.fold.pe, self.vectors, stages)
