"""Does it fit: demand against budget, in one sentence."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from codesign.cost.resources import Resources

SHOWN_CONTRIBUTORS = 5
NAMES = {"lut": "LUT", "lutram": "LUTRAM", "ff": "FF", "dsp": "DSP"}


class Verdict(msgspec.Struct, frozen=True):
    """Whether a design fits, by how much it does not, and what would help.

    `gaps` maps each overdrawn count to the excess; `contributors` lists (part, kind, amount) of
    the largest parts in those kinds, or in the scarcest one when everything fits.
    """

    board: str
    fits: bool
    demand: dict[str, float]
    budget: dict[str, float]
    gaps: dict[str, float]
    contributors: tuple[tuple[str, str, float], ...]
    levers: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The verdict in words, with what takes the most and what would help."""
        if self.fits:
            return self.headline
        largest = ", ".join(f"{part} ({n:,.0f} {word(k)})" for part, k, n in self.contributors)
        text = f"{self.headline.rstrip('.')}; largest: {largest}"
        return text + (f"; what would help: {'; '.join(self.levers)}." if self.levers else ".")

    @property
    def headline(self) -> str:
        """The verdict in words: the fullest count, or what is lacking."""
        if self.fits:
            kind, share = scarcest(self.demand, self.budget)
            return (
                f"Fits {self.board}: {100 * share:.0f} % of the usable {word(kind)} is the fullest count "
                f"({self.demand[kind]:,.0f} of {self.budget.get(kind, 0):,.0f})."
            )
        lacks = ", ".join(
            f"{self.demand[k]:,.0f} {word(k)} of {self.budget.get(k, 0):,.0f} usable "
            f"({gap:,.0f} too many)"
            for k, gap in self.gaps.items()
        )
        return f"Does not fit {self.board}: needs {lacks}."


def judge(
    board: str, demand: Resources, budget: Resources, parts: Mapping[str, Resources]
) -> Verdict:
    """Compare `demand` with `budget`; `parts` are named for the contributors."""
    gaps = demand.excess(budget)
    kinds = tuple(gaps) or (scarcest(demand.flat(), budget.flat())[0],)
    return Verdict(board, not gaps, demand.flat(), budget.flat(), gaps, _contributors(parts, kinds))


def scarcest(demand: Mapping[str, float], budget: Mapping[str, float]) -> tuple[str, float]:
    """(kind, share of the budget) of the count that is fullest."""
    shares = {k: n / budget[k] for k, n in demand.items() if budget.get(k)}
    kind = max(shares, key=shares.__getitem__)
    return kind, shares[kind]


def word(kind: str) -> str:
    """The vendor's word for a count."""
    return NAMES.get(kind, kind)


def _contributors(
    parts: Mapping[str, Resources], kinds: tuple[str, ...]
) -> tuple[tuple[str, str, float], ...]:
    """The largest parts of each kind, largest first."""
    rows = []
    for kind in kinds:
        sizes = [(name, kind, r.flat().get(kind, 0.0)) for name, r in parts.items()]
        sizes = sorted((s for s in sizes if s[2] > 0), key=lambda s: (-s[2], s[0]))
        rows += sizes[:SHOWN_CONTRIBUTORS]
    return tuple(rows)
