"""Sum pooling behind a window; the division of an average is part of the quantiser after it."""

from __future__ import annotations

from typing import Self

import msgspec
import numpy as np

from codesign.blocks.adders import accumulators
from codesign.blocks.arrays import narrowed
from codesign.blocks.base import Block, Fold, Params, Port, Size
from codesign.blocks.control import control
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.blocks.programs import reduction
from codesign.blocks.sum_types import followed, scaled_range, sum_type
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm
from codesign.program import Program
from codesign.rtl.instance import Rtl
from codesign.rtl.wire import wire_kind
from codesign.types import QType


class SumPool(Block, frozen=True, kw_only=True):
    """y[c] = sum over k of x[k, c] for each vector.

    `pe` channels a cycle; in (vectors, taps, channels), out (vectors, channels) of type `otype`.
    Global pooling is taps = H*W, vectors = 1 and needs no window.
    """

    channels: Size
    taps: Size
    vectors: Size
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

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        taps = x.reshape(len(x), self.vectors, self.taps, self.channels)
        total = taps.sum(axis=2, dtype=np.int64)
        return (narrowed(total, self.otype, self.name).reshape(len(x), -1),)

    def program(self) -> Program:
        """The sums of all channels stay in a small memory; the last tap writes the results.

        Interval: vectors * taps * channels/pe cycles. Stage: the addition.
        """
        return reduction(self.taps, self.channels // self.fold.pe, self.vectors, 1)

    def rtl(self, params: Params, family: Family) -> Rtl:
        parameters = {
            "Pe": self.fold.pe,
            "Taps": self.taps,
            "Groups": self.channels // self.fold.pe,
            "InBits": self.itype.bits,
            "InKind": wire_kind(self.itype),
            "OutBits": self.otype.bits,
        }
        return Rtl("sum_pool", parameters)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        p, groups = self.fold.pe, self.channels // self.fold.pe
        return (
            # P adders and registers of the sum; several groups of channels keep theirs in a small
            # memory.
            accumulators(family, p, groups, self.otype.bits, "sums"),
            # Counters: group of channels, tap.
            control(family, 2, 1, groups, self.taps),
        )

    def retyped(self, *inputs: QType) -> Self:
        (itype,) = inputs
        otype = followed(self.otype, self._widest(self.itype), self._widest(itype))
        return msgspec.structs.replace(self, itype=itype, otype=otype)

    def _widest(self, itype: QType) -> QType:
        return sum_type(scaled_range(itype, self.taps))

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        kinds = ((9, 2, QType(4, False), QType(8, False)), (16, 1, QType(3), QType(7)))
        return tuple(
            (cls(name=f"sum_pool_{k}", channels=4, taps=k, vectors=n, itype=a, otype=b), {})
            for k, n, a, b in kinds
        )
