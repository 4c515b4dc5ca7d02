"""Foldings over channels and taps: several taps a cycle only when all channels are."""

from __future__ import annotations

from collections.abc import Iterable

from codesign.blocks.base import Fold, divisors, require_divides
from codesign.blocks.folds import check_choice, folds
from codesign.errors import IllegalFold


def tap_folds(
    channels: int,
    simds: Iterable[int],
    multipliers: tuple[str, ...] = ("lut",),
    memories: tuple[str, ...] = ("lut",),
) -> tuple[Fold, ...]:
    """`pe` divides the channels; with `pe` = channels `simd` may be each of `simds`, 1 among them.

    So elements keep their order, taps before channels, in beats of simd * pe lanes.
    """
    single = folds(divisors(channels), (1,), multipliers, memories)
    several = folds((channels,), (s for s in simds if s > 1), multipliers, memories)
    return single + several


def check_taps(
    block: str,
    fold: Fold,
    channels: int,
    simds: tuple[int, ...],
    multipliers: tuple[str, ...] = ("lut",),
    memories: tuple[str, ...] = ("lut",),
) -> None:
    """Raise IllegalFold unless `fold` is one of `tap_folds` of the same arguments."""
    require_divides(block, "pe", fold.pe, "channels", channels)
    if fold.simd in simds and fold.simd > 1 and fold.pe < channels:
        raise IllegalFold(
            f"{block}: simd must be 1 unless pe is channels ({channels}), not {fold.simd} with "
            f"pe {fold.pe}; nearest legal: simd 1, or pe {channels}",
            block=block,
            knob="simd",
            found=fold.simd,
            legal=(1,),
        )
    check_choice(block, "simd", fold.simd, tuple(simds))
    check_choice(block, "multiplier", fold.multiplier, multipliers)
    check_choice(block, "memory", fold.memory, memories)
