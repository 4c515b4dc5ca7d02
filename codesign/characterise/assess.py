"""How far the models are from synthesis, on rows and networks that no fit has seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

import msgspec

from codesign.characterise.fit import as_designed, terms_of
from codesign.characterise.held_out import HeldOut, load_held_out
from codesign.characterise.networks import NetworkLine, compare, read_networks
from codesign.characterise.rows import OK, Row, read_rows
from codesign.cost.model import FITTED, bounds, kind_model, scaled, widths
from codesign.cost.resources import Resources, total

# Halves of a block memory: a 36 kbit one is two of 18.
HALVES = {"RAMB18": 1, "RAMB36": 2}


class Verdict(msgspec.Struct, frozen=True):
    """Predicted against measured for one row; `inside` tells per fitted count whether the measured
    value lies within the bounds, `as_designed` whether memories are where the folding has them."""

    kind: str
    why: str
    as_designed: bool
    measured: dict[str, float]
    predicted: dict[str, float]
    inside: dict[str, bool]

    def error(self, count: str) -> float | None:
        """|predicted - measured| / measured; None where nothing was measured."""
        found = self.measured[count]
        return abs(self.predicted[count] - found) / found if found else None


class Line(msgspec.Struct, frozen=True):
    """One line of the report: errors are relative, shares are of the rows; None without rows.

    LUT and FF are of the rows `as_designed`, memories and DSPs of all.
    """

    title: str
    rows: int
    as_designed: int
    lut_median: float | None
    lut_p90: float | None
    lut_inside: float | None
    ff_median: float | None
    ff_p90: float | None
    ff_inside: float | None
    ram_exact: float
    dsp_exact: float


class Assessment(msgspec.Struct, frozen=True):
    """The report on one family: held-out rows by reason and by kind, whole networks, and what was
    left out."""

    family: str
    by_reason: tuple[Line, ...]
    by_kind: tuple[Line, ...]
    networks: tuple[NetworkLine, ...]
    failed: int
    unfitted: tuple[str, ...]


def assess(family: str, data: Path) -> Assessment:
    """Judge the coefficients of `family` on the held-out rows of `data`."""
    rows, judged = read_rows(data, family), verdicts(family, data)
    reasons = dict.fromkeys(v.why for v in judged)
    kinds = sorted({v.kind for v in judged})
    return Assessment(
        family,
        tuple(
            [line("all held out", judged)]
            + [line(why, [v for v in judged if v.why == why]) for why in sorted(reasons)]
        ),
        tuple(line(kind, [v for v in judged if v.kind == kind]) for kind in kinds),
        tuple(compare(network) for network in read_networks(data, family)),
        sum(row.state != OK for row in rows),
        tuple(sorted({row.kind for row in rows if kind_model(row.kind, family) is None})),
    )


def verdicts(family: str, data: Path) -> list[Verdict]:
    """Held-out rows of the kinds that have coefficients, each against its prediction."""
    rules = load_held_out(data)
    held = [r for r in read_rows(data, family) if r.state == OK and rules.reason(r)]
    return [judge(row, rules) for row in held if kind_model(row.kind, family)]


def judge(row: Row, rules: HeldOut) -> Verdict:
    """`row` against what the models say of its configuration."""
    terms = scaled(terms_of(row), row.kind, row.family)
    centre = total(term.resources for term in terms)
    low, high = bounds(centre, {row.kind: widths(centre, row.kind, row.family)})
    return Verdict(
        row.kind,
        rules.reason(row) or "",
        as_designed(row),
        measured(row),
        _counts(centre),
        {c: getattr(low, c) <= getattr(row, c) <= getattr(high, c) for c in FITTED},
    )


def measured(row: Row) -> dict[str, float]:
    """Counts of a row; block memory in halves of 36 kbit where the family has those."""
    ram = sum(HALVES.get(kind, 1) * number for kind, number in row.rams.items())
    return {"lut": row.lut, "ff": row.ff, "dsp": row.dsp, "ram": ram}


def line(title: str, rows: Sequence[Verdict]) -> Line:
    """Medians, 90th percentiles and shares of `rows`."""
    figures: list[float | None] = []
    same = [v for v in rows if v.as_designed]
    for count in FITTED:
        errors = [e for e in (v.error(count) for v in same) if e is not None]
        inside = _share(v.inside[count] for v in same)
        figures += [median(errors) if errors else None, _percentile(errors, 0.9), inside]
    exact = (_share(v.measured[c] == v.predicted[c] for v in rows) for c in ("ram", "dsp"))
    return Line(title, len(rows), len(same), *figures, *exact)


def _counts(centre: Resources) -> dict[str, float]:
    ram = sum(centre.ram.values())
    return {"lut": centre.lut, "ff": centre.ff, "dsp": centre.dsp, "ram": ram}


def _share(flags: Iterable[bool]) -> float | None:
    found = list(flags)
    return sum(found) / len(found) if found else None


def _percentile(values: Sequence[float], share: float) -> float | None:
    """The value that at least `share` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
