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
        # With earlier taps one comparison more.
        choices = Resources(lut=p * bits * family.mux(2) if self.words else 0)
        return (
            # P trees over the taps of a beat.
            CostTerm("tree", self._tree(family).scaled(p)),
            # P registers of the maximum and comparators; several groups of channels keep theirs in
            # a small memory.
            self._maxima(family),
            results(p, self.words, bits),
            # A 2-to-1 multiplexer a bit takes the larger.
            CostTerm("selection", choices),
            *self.control_terms(family),
        )

    def _maxima(self, family: Family) -> CostTerm:
        """The maximum of two bits is an OR, which is part of the selection."""
        found = accumulators(family, self.fold.pe, self.words, self.itype.bits, "maxima")
        if self.itype.bits > 1 or not self.words:
            return found
        return CostTerm("maxima", found.resources + Resources(lut=-self.fold.pe))

    def _tree(self, family: Family) -> Resources:
        """A comparator and a 2-to-1 multiplexer a bit for each pair; the maximum of bits is an OR."""
        pairs, bits = self.fold.simd - 1, self.itype.bits
        luts = pairs * (family.adder(bits) + bits * family.mux(2))
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
