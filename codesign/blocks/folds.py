"""Rules of folding that several blocks share."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from codesign.blocks.base import Fold, divisors, require_divides
from codesign.errors import IllegalFold
from codesign.types import QType

MEMORIES = ("lut", "block")
WEIGHT_MEMORIES = (*MEMORIES, "large")


def dsp_sensible(a: QType, b: QType) -> bool:
    """True when a product a*b is worth a DSP: two integers with 16 products of bits or more.

    That is 4 x 4 bits, and 16 bits with weights of 2.
    """
    return a.kind == b.kind == "int" and min(a.bits, b.bits) >= 2 and a.bits * b.bits >= 16


def multipliers_of(a: QType, b: QType) -> tuple[str, ...]:
    """Kinds of multiplier that a product of these types may use."""
    return ("lut", "dsp") if dsp_sensible(a, b) else ("lut",)


def fold_for(fold: Fold, a: QType, b: QType) -> Fold:
    """`fold`, with LUT multipliers where products of these types are not worth a DSP."""
    if fold.multiplier in multipliers_of(a, b):
        return fold
    return msgspec.structs.replace(fold, multiplier="lut")


def folds(
    pes: Iterable[int],
    simds: Iterable[int] = (1,),
    multipliers: tuple[str, ...] = ("lut",),
    memories: tuple[str, ...] = ("lut",),
) -> tuple[Fold, ...]:
    """Every combination, sorted by parallel operations, then pe, multiplier and memory."""
    simds = tuple(simds)
    found = (Fold(p, s, m, r) for p in pes for s in simds for m in multipliers for r in memories)
    return tuple(sorted(found, key=_size))


def with_large(legal: Iterable[Fold]) -> tuple[Fold, ...]:
    """`legal`, and each folding with memories in block RAM also with weights in large RAM."""
    legal = tuple(legal)
    large = (msgspec.structs.replace(f, memory="large") for f in legal if f.memory == "block")
    return tuple(sorted((*legal, *large), key=_size))


def _size(fold: Fold) -> tuple[int, int, bool, int]:
    place = WEIGHT_MEMORIES.index(fold.memory)
    return fold.pe * fold.simd, fold.pe, fold.multiplier != "lut", place


def lane_folds(
    channels: int,
    multipliers: tuple[str, ...] = ("lut",),
    memories: tuple[str, ...] = ("lut",),
) -> tuple[Fold, ...]:
    """Folds of a block without a reduction: `pe` divides the channels."""
    return folds(divisors(channels), (1,), multipliers, memories)


def check_lanes(
    block: str,
    fold: Fold,
    channels: int,
    multipliers: tuple[str, ...] = ("lut",),
    memories: tuple[str, ...] = ("lut",),
) -> None:
    """Raise IllegalFold unless `fold` is one of `lane_folds` of the same arguments."""
    require_divides(block, "pe", fold.pe, "channels", channels)
    check_choice(block, "simd", fold.simd, (1,))
    check_choice(block, "multiplier", fold.multiplier, multipliers)
    check_choice(block, "memory", fold.memory, memories)


def check_choice(block: str, knob: str, value: object, legal: tuple) -> None:
    """Raise IllegalFold unless `value` is one of `legal`."""
    if value in legal:
        return
    raise IllegalFold(
        f"{block}: {knob} must be {' or '.join(map(str, legal))} here, not {value}",
        block=block,
        knob=knob,
        found=value,
        legal=legal,
    )
