"""What the two kinds of quantiser share, and when one takes the place of the other."""

from __future__ import annotations

from codesign.blocks.base import Block, Port, Size
from codesign.types import BIPOLAR, QType

# Up to this many thresholds a channel, comparing is cheaper than multiplying.
FEW_THRESHOLDS = 15


class Quantiser(Block, frozen=True, kw_only=True):
    """Maps (vectors, channels) of `itype` to `otype`; `pe` channels a cycle."""

    channels: Size
    vectors: Size
    itype: QType
    otype: QType

    @property
    def rows(self) -> int:
        """Rows of its table: one for each channel, or one for all."""
        raise NotImplementedError

    def inputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.itype, p, self.vectors * self.channels // p),)

    def outputs(self) -> tuple[Port, ...]:
        p = self.fold.pe
        return (Port(self.otype, p, self.vectors * self.channels // p),)

    def requantised(self, bits: int) -> Quantiser:
        """A quantiser in this place with `bits` output bits, its parameters known by shape only.

        Few levels are thresholds, more are multiplied, added and shifted.
        """
        # Both are subclasses of this class, so their modules import this one.
        from codesign.blocks.requantise import Requantise
        from codesign.blocks.threshold import Threshold

        if bits == self.otype.bits:
            return self
        otype = _levels_of(self.otype, bits)
        kind = Threshold if otype.levels - 1 <= FEW_THRESHOLDS else Requantise
        return kind.in_place_of(self, otype)


def _levels_of(like: QType, bits: int) -> QType:
    """Type of `bits` bits, signed as `like` is; one signed bit is bipolar."""
    if bits == 1 and like.signed:
        return BIPOLAR
    return QType(bits, like.signed, narrow=like.narrow)
