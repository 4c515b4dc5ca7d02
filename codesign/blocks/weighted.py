"""What blocks with weights share: their types, and how these follow a change of bit width."""

from __future__ import annotations

from typing import Self

import msgspec

from codesign.blocks.base import Block, ParamRef
from codesign.blocks.folds import fold_for
from codesign.blocks.sum_types import followed, products_type
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
