"""Which rows no fit may see."""

from __future__ import annotations

from pathlib import Path

import msgspec

from codesign.characterise.rows import Row
from codesign.strict import load_toml


class Random(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows by the last digit of their number."""

    last_digits: tuple[int, ...]


class Widths(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows by their pair of (weight, activation) bits."""

    pairs: tuple[tuple[int, int], ...]


class Folding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows by ranges (first, last) of pe * simd."""

    lanes: tuple[tuple[int, int], ...]


class HeldOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The three rules; a row is held out when any of them says so."""

    random: Random
    widths: Widths
    folding: Folding

    def reason(self, row: Row) -> str | None:
        """Why `row` is held out, the rarest rule first; None for a row that may be fitted."""
        if row.weight_bits and (row.weight_bits, row.in_bits) in self.widths.pairs:
            return "widths"
        if any(first <= row.pe * row.simd <= last for first, last in self.folding.lanes):
            return "folding"
        return "random" if row.number % 10 in self.random.last_digits else None


def load_held_out(folder: Path) -> HeldOut:
    """The rules beside the data set in `folder`; raises BadInput."""
    return load_toml(folder / "held_out.toml", HeldOut)
