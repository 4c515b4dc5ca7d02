"""Scaled addition of two streams: the join of a residual connection."""

from __future__ import annotations

from typing import Self

import msgspec
import numpy as np

from codesign.blocks.arrays import carrier, magnitude, narrowed
from codesign.blocks.base import Block, Fold, Params, Port, Size
from codesign.blocks.folds import check_lanes, lane_folds
from codesign.blocks.multipliers import constant_adders, constant_luts
from codesign.blocks.programs import one_to_one
from codesign.blocks.sum_types import followed, scaled_range, sum_type
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.program import Program
from codesign.rtl.instance import Rtl
from codesign.rtl.wire import wire_kind
from codesign.types import QType


class Add(Block, frozen=True, kw_only=True):
    """y = a*scales[0] + b*scales[1]; `pe` channels a cycle; all ports (vectors, channels)."""

    channels: Size
    vectors: Size
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
        y = a.astype(kind) * sa + b.astype(kind) * sb
        return (narrowed(y, self.otype, self.name),)

    def program(self) -> Program:
        """A beat of each input, one of the output.

        Interval: vectors * channels/pe cycles.
        """
        beats = self.vectors * self.channels // self.fold.pe
        return one_to_one(beats, reads=("in0", "in1"), latency_cycles=self.latency_cycles)

    @property
    def latency_cycles(self) -> int:
        """Stages: the products with the scales, unless both are powers of two, and the sum."""
        return 1 + any(constant_adders(scale) for scale in self.scales)

    def rtl(self, params: Params, family: Family) -> Rtl:
        parameters = {
            "Pe": self.fold.pe,
            "In0Bits": self.itypes[0].bits,
            "In0Kind": wire_kind(self.itypes[0]),
            "In1Bits": self.itypes[1].bits,
            "In1Kind": wire_kind(self.itypes[1]),
            "Scale0": self.scales[0],
            "Scale1": self.scales[1],
            "OutBits": self.otype.bits,
            "Stages": self.latency_cycles,
        }
        return Rtl("add", parameters)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        p = self.fold.pe
        return (
            # A constant product is an adder for each further non-zero signed digit of its scale.
            *(self._scaling(family, i) for i in range(2)),
            # P adders with an output register.
            CostTerm(
                "sum",
                Resources(lut=p * family.adder(self._overlap_bits), ff=p * self.otype.bits),
            ),
            # All that a beat needs is one AND.
            CostTerm("handshake", Resources(lut=1, ff=self.latency_cycles)),
        )

    @property
    def _overlap_bits(self) -> int:
        """Places at which both summands have a bit of their own: a carry passes the others without
        a LUT, and the places of both extended signs are one."""
        ranges = [scaled_range(t, s) for t, s in zip(self.itypes, self.scales, strict=True)]
        ends = [QType.covering(low, high).bits for low, high in ranges]
        unsigned = [end for end, (low, _) in zip(ends, ranges, strict=True) if low >= 0]
        starts = [(abs(scale) & -abs(scale)).bit_length() - 1 for scale in self.scales]
        return max(0, min(unsigned, default=max(ends)) - max(starts))

    def _scaling(self, family: Family, side: int) -> CostTerm:
        """The products of one side: a carry passes what only one summand of an adder has. Both sides
        are registered when either needs an adder."""
        bits = sum_type(scaled_range(self.itypes[side], self.scales[side])).bits
        luts = constant_luts(family, self.itypes[side].bits, constant_adders(self.scales[side]))
        stages = self.latency_cycles - 1
        return CostTerm(f"scale {side}", Resources(lut=luts, ff=stages * bits).scaled(self.fold.pe))

    def retyped(self, *inputs: QType) -> Self:
        otype = followed(self.otype, self._widest(*self.itypes), self._widest(*inputs))
        return msgspec.structs.replace(self, itypes=inputs, otype=otype)

    def _widest(self, *itypes: QType) -> QType:
        return sum_type(*map(scaled_range, itypes, self.scales))

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        kinds = (
            ((QType(4), QType(4)), (1, 1), QType(5)),
            ((QType(4, False), QType(6)), (3, -2), QType(8)),
        )
        return tuple(
            (cls(name=f"add_{i}", channels=4, vectors=3, itypes=a, scales=s, otype=o), {})
            for i, (a, s, o) in enumerate(kinds)
        )
