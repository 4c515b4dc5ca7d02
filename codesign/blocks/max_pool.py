"""Maximum pooling behind a window."""

from __future__ import annotations

from math import ceil
from typing import Self

import msgspec
import numpy as np

from codesign.blocks.adders import accumulators, results, tree_registers
from codesign.blocks.base import Params
from codesign.blocks.pool import Pool
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm, Resources
from codesign.rtl.instance import Rtl
from codesign.rtl.wire import wire_kind
from codesign.types import BIPOLAR, QType

# LUTs of the larger of two values of 1, 2, ... bits, and of that with an earlier maximum which the
# first value of a vector ignores; wider ones take MORE_BITS a bit (hw/max_pool.sv alone, on LUTs of
# 6 inputs).
LARGER = (1, 2, 3, 7, 9.5, 12.5, 13, 14)
EARLIER = (1, 2, 6, 5, 8.5, 15.5, 13, 14)
MORE_BITS = 1.75


class MaxPool(Pool, frozen=True, kw_only=True):
    """y[c] = max over k of x[k, c] for each vector.

    `pe` channels of `simd` taps a cycle; in (vectors, taps, channels), out (vectors, channels).
    """

    @property
    def result(self) -> QType:
        return self.itype

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        return (self.by_tap(x).max(axis=2).reshape(len(x), -1),)

    def rtl(self, params: Params, family: Family) -> Rtl:
        types = {"Bits": self.itype.bits, "Kind": wire_kind(self.itype)}
        return Rtl("max_pool", self.parameters(family) | types)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        p, bits = self.fold.pe, self.itype.bits
        return (
            # P trees over the taps of a beat.
            CostTerm("tree", self._tree(family).scaled(p)),
            # P registers of the maximum, each with its comparison; several groups of channels keep
            # theirs in a small memory.
            self._maxima(family),
            results(p, self.words, bits),
            *self.control_terms(family),
        )

    def _maxima(self, family: Family) -> CostTerm:
        """Storage as for sums, with the larger of two values where those have an adder."""
        p, bits = self.fold.pe, self.itype.bits
        found = accumulators(family, p, self.words, bits, "maxima")
        if not self.words:
            return found
        more = larger_luts(family, bits, EARLIER) - family.adder(bits)
        return CostTerm("maxima", found.resources + Resources(lut=p * more))

    def _tree(self, family: Family) -> Resources:
        """The larger of each pair; that of bits is an OR."""
        pairs, bits = self.fold.simd - 1, self.itype.bits
        luts = pairs * larger_luts(family, bits, LARGER)
        if bits == 1:
            luts = ceil(pairs / (family.lut_inputs - 1))
        return Resources(lut=luts, ff=bits * tree_registers(self.fold.simd))

    def retyped(self, *inputs: QType) -> Self:
        return msgspec.structs.replace(self, itype=inputs[0])

    @classmethod
    def examples(cls) -> tuple[tuple[Self, dict[str, np.ndarray]], ...]:
        kinds = ((4, BIPOLAR), (4, QType(4)), (9, QType(4, False)))
        return tuple(
            (cls(name=f"max_pool_{i}", channels=4, taps=taps, vectors=3, itype=itype), {})
            for i, (taps, itype) in enumerate(kinds)
        )


def larger_luts(family: Family, bits: int, known: tuple[float, ...]) -> float:
    """LUTs of the larger of two values of `bits` bits, `known` for narrow ones: without a table a
    comparison and a 2-to-1 multiplexer a bit."""
    if bits == 1:
        return 1.0
    if family.lut_inputs < 6:
        return family.adder(bits) + bits * family.mux(2)
    return known[bits - 1] if bits <= len(known) else MORE_BITS * bits
