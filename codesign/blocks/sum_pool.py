"""Sum pooling behind a window; the division of an average is part of the quantiser after it."""

from __future__ import annotations

from typing import Self

import msgspec
import numpy as np

from codesign.blocks.adders import accumulators, adder_tree, results
from codesign.blocks.arrays import narrowed
from codesign.blocks.base import Params
from codesign.blocks.pool import Pool
from codesign.blocks.sum_types import followed, scaled_range, sum_type
from codesign.cost.family import Family
from codesign.cost.resources import CostTerm
from codesign.rtl.instance import Rtl
from codesign.rtl.wire import wire_kind
from codesign.types import QType


class SumPool(Pool, frozen=True, kw_only=True):
    """y[c] = sum over k of x[k, c] for each vector.

    `pe` channels of `simd` taps a cycle; in (vectors, taps, channels), out (vectors, channels) of
    type `otype`. Global pooling is taps = H*W, vectors = 1 and needs no window.
    """

    otype: QType

    @property
    def result(self) -> QType:
        return self.otype

    def execute(self, params: Params, *inputs: np.ndarray) -> tuple[np.ndarray, ...]:
        (x,) = inputs
        total = self.by_tap(x).sum(axis=2, dtype=np.int64)
        return (narrowed(total, self.otype, self.name).reshape(len(x), -1),)

    def rtl(self, params: Params, family: Family) -> Rtl:
        types = {
            "InBits": self.itype.bits,
            "InKind": wire_kind(self.itype),
            "OutBits": self.otype.bits,
        }
        return Rtl("sum_pool", self.parameters(family) | types)

    def cost_terms(self, family: Family) -> tuple[CostTerm, ...]:
        p = self.fold.pe
        tree = adder_tree(family, self.fold.simd, self.itype.bits + (self.itype.kind == "bipolar"))
        return (
            # P trees over the taps of a beat.
            CostTerm("adder tree", tree.scaled(p)),
            # P adders and registers of the sum; several groups of channels keep theirs in a small
            # memory.
            accumulators(family, p, self.words, self.otype.bits, "sums"),
            results(p, self.words, self.otype.bits),
            *self.control_terms(family),
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
