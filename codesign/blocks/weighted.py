"""What blocks with weights share: their types, and how these follow a change of bit width."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

import msgspec

from codesign.blocks.base import Block, Fold, MemoryShape, ParamRef
from codesign.blocks.folds import fold_for, with_large
from codesign.blocks.sum_types import followed, products_type
from codesign.cost.family import Family
from codesign.rtl.instance import Loaded, Memory, Rtl
from codesign.types import BIPOLAR, QType


class Weighted(Block, frozen=True, kw_only=True):
    """Sums of products of inputs and stored weights; results have type `acc`."""

    itype: QType
    wtype: QType
    acc: QType
    weight: ParamRef

    @property
    def terms(self) -> int:
        """Products in one sum."""
        raise NotImplementedError

    @property
    def weight_memory(self) -> MemoryShape:
        """One word for each event of a vector: the weights of a cycle."""
        raise NotImplementedError

    def folds_on(self, family: Family) -> tuple[Fold, ...]:
        legal = self.legal_folds()
        return with_large(legal) if family.large else legal

    def large_memories(self) -> tuple[MemoryShape, ...]:
        return (self.weight_memory,) if self.fold.memory == "large" else ()

    def weighted_rtl(
        self, module: str, parameters: Mapping[str, int], weights: Memory, family: Family
    ) -> Rtl:
        """`module` with its ROM, or its core beside a large RAM."""
        if self.fold.memory != "large":
            return Rtl(module, parameters, memories={"WeightFile": weights})
        own = {name: value for name, value in parameters.items() if name != "WeightStyle"}
        return Rtl(f"{module}_core", own, loaded={"weight": Loaded(weights, family.load_bits)})

    def retyped(self, *inputs: QType) -> Self:
        return self._typed(inputs[0], self.wtype)

    def reweighted(self, bits: int) -> Self:
        """The same block with weights of `bits` bits: bipolar, or symmetric two's complement.

        The accumulator follows its worst case and keeps what real weights spared of it.
        """
        if bits == self.wtype.bits:
            return self
        wtype = BIPOLAR if bits == 1 else QType(bits, narrow=True)
        weight = msgspec.structs.replace(self.weight, qtype=wtype, digest="")
        return msgspec.structs.replace(self._typed(self.itype, wtype), weight=weight)

    def _typed(self, itype: QType, wtype: QType) -> Self:
        before = products_type(self.terms, self.itype, self.wtype)
        acc = followed(self.acc, before, products_type(self.terms, itype, wtype))
        fold = fold_for(self.fold, itype, wtype)
        return msgspec.structs.replace(self, itype=itype, wtype=wtype, acc=acc, fold=fold)
