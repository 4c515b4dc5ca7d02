"""Maximum pooling behind a window."""

from __future__ import annotations

from typing import Self

import msgspec
import numpy as np

from codesign.blocks.adders import accumulators
from codesign.blocks.base import Block, Fold, Params, Port, Size
from codesign.blocks.control import control
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.blocks.programs import reduction
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import Program
from codesign.rtl.instance import Rtl
from codesign.rtl.wire import wire_kind
from codesign.types import BIPOLAR, QType


class MaxPool(Block, frozen=True, kw_only=True):
    """y[c] = max over k of x[k, c] for each vector.

    `pe` channels a cycle; in (vectors, taps, channels), out (vectors, channels).
    """

    channels: Size
    taps: Size
    vectors: Size
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

    def rtl(self, params: Params, family: Family) -> Rtl:
        parameters = {
            "Pe": self.fold.pe,
            "Taps": self.taps,
            "Groups": self.channels // self.fold.pe,
            "Bits": self.itype.bits,
            "Kind": wire_kind(self.itype),
        }
        return Rtl("max_pool", parameters)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        p, groups = self.fold.pe, self.channels // self.fold.pe
        bits = self.itype.bits
        return (
            # P registers of the maximum and comparators; several groups of channels keep theirs in
            # a small memory.
            accumulators(family, p, groups, bits, "maxima"),
            # A 2-to-1 multiplexer a bit takes the larger.
            CostTerm("selection", Resources(lut=p * bits * family.mux(2))),
            # Counters: group of channels, tap.
            control(family, 2, 1, groups, self.taps),
        )

    def retyped(self, *inputs: QType) -> Self:
        return msgspec.structs.replace(self, itype=inputs[0])

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        return tuple(
            (cls(name=f"max_pool_{i}", channels=4, taps=4, vectors=3, itype=itype), {})
            for i, itype in enumerate((BIPOLAR, QType(4), QType(4, False)))
        )
