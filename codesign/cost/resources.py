"""What a block occupies on a device, as the vendor counts it."""

from __future__ import annotations

import msgspec


class Resources(msgspec.Struct, frozen=True):
    """Counts of device primitives; `lut` includes `lutram`, the LUTs that serve as memory.

    `ram` maps the family's own memory kinds ("BRAM18", "URAM", "DP16KD", "EBR", ...) to counts.
    """

    lut: float = 0.0
    lutram: float = 0.0
    ff: float = 0.0
    dsp: float = 0.0
    ram: dict[str, float] = {}

    def __add__(self, other: Resources) -> Resources:
        kinds = {**self.ram, **other.ram}
        return Resources(
            self.lut + other.lut,
            self.lutram + other.lutram,
            self.ff + other.ff,
            self.dsp + other.dsp,
            {k: self.ram.get(k, 0) + other.ram.get(k, 0) for k in kinds},
        )

    def scaled(self, factor: float) -> Resources:
        """Every count times `factor`."""
        return Resources(
            self.lut * factor,
            self.lutram * factor,
            self.ff * factor,
            self.dsp * factor,
            {k: v * factor for k, v in self.ram.items()},
        )

    def flat(self) -> dict[str, float]:
        """All counts in one dictionary: lut, lutram, ff, dsp, then the memory kinds."""
        counts = {"lut": self.lut, "lutram": self.lutram, "ff": self.ff, "dsp": self.dsp}
        return {**counts, **self.ram}

    def excess(self, budget: Resources) -> dict[str, float]:
        """How much each count exceeds `budget`; empty when everything fits."""
        limit = budget.flat()
        over = {k: v - limit.get(k, 0) for k, v in self.flat().items()}
        return {k: gap for k, gap in over.items() if gap > 1e-9}

    def fits(self, budget: Resources) -> bool:
        """True when no count exceeds `budget`."""
        return not self.excess(budget)


def total(parts: object) -> Resources:
    """Sum of an iterable of resources."""
    return sum(parts, Resources())


class CostTerm(msgspec.Struct, frozen=True):
    """One physical part of a block and what it occupies ("adder tree", "weights", ...)."""

    name: str
    resources: Resources


class Estimate(msgspec.Struct, frozen=True):
    """A predicted value with its source: "measured", "fitted" (with `rel_error`) or "analytic"."""

    value: float
    source: str = "analytic"
    rel_error: float | None = None
