"""Fitted coefficients: how much of each physical term synthesis really takes, and how sure that is.

A block's `cost_terms` say what it is made of; a family's file in `codesign/cost/coefficients/` says,
per kind of block, by which factor each term comes out of synthesis, and what is there beside the
terms. LUT memories, DSPs and block memories follow the device's own rules and are not scaled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from math import floor, hypot
from pathlib import Path

import msgspec

from codesign.cost.resources import CostTerm, Resources
from codesign.errors import BadInput

COEFFICIENTS = Path(__file__).parent / "coefficients"
# The counts that are fitted.
FITTED = ("lut", "ff")
# Errors are relative to the value plus this many: a counter more or less is no error of 50 %.
FLOOR = 10.0
BASE = "base"
ANALYTIC = "analytic"
# LUTs below and above the central value, flip-flops below and above.
Widths = tuple[float, float, float, float]
NO_WIDTHS: Widths = (0.0, 0.0, 0.0, 0.0)


class Scale(msgspec.Struct, frozen=True):
    """One count of one kind of block.

    `factors` multiply the terms, "base" is added. `low` and `high` bound the error (measured less
    predicted) over (predicted + FLOOR) in 90 % of rows that a fit did not see; `median_error` is the
    median of |measured - predicted| / measured of the same rows.
    """

    factors: dict[str, float]
    low: float
    high: float
    median_error: float


class KindModel(msgspec.Struct, frozen=True):
    """One kind of block: a scale for each count of FITTED, from `rows` rows.

    `logic_ps` is the longest path through cells that nine of ten rows stay below; 0 where unknown.
    """

    rows: int
    scales: dict[str, Scale]
    logic_ps: int = 0


class FamilyModel(msgspec.Struct, frozen=True):
    """A family: its kinds by name, and the tool that the rows come from."""

    family: str
    tool: str
    kinds: dict[str, KindModel]


@cache
def load_model(family: str) -> FamilyModel | None:
    """Coefficients of `family`; None where nothing has been fitted. Raises BadInput."""
    path = COEFFICIENTS / f"{family}.json"
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=FamilyModel)
    except msgspec.DecodeError as error:
        raise BadInput(
            f"{path}: not a file of coefficients ({error}); codesign calibrate --family {family} writes it",
            path=str(path),
        ) from error


@lru_cache(maxsize=1024)
def kind_model(kind: str, family: str) -> KindModel | None:
    """Coefficients of one kind of block, if there are any."""
    model = load_model(family)
    return model.kinds.get(kind) if model else None


def scaled(terms: tuple[CostTerm, ...], kind: str, family: str) -> tuple[CostTerm, ...]:
    """`terms` as synthesis takes them; as they are where nothing has been fitted."""
    model = kind_model(kind, family)
    if model is None:
        return terms
    lut, ff = (model.scales[count].factors for count in FITTED)
    base = CostTerm(BASE, Resources(lut=lut.get(BASE, 0.0), ff=ff.get(BASE, 0.0)))
    return (*(_scaled(term, lut, ff) for term in terms), base)


def source(kind: str, family: str) -> str:
    """Where the numbers of a part of this `kind` come from, in words."""
    model = kind_model(kind, family)
    if model is None:
        return ANALYTIC
    return f"fitted ({model.rows} rows, median error {model.scales['lut'].median_error:.1%})"


def widths(centre: Resources, kind: str, family: str) -> Widths:
    """How far a part whose central values are `centre` may lie from them, nine times in ten."""
    model = kind_model(kind, family)
    if model is None:
        return NO_WIDTHS
    found = []
    for count in FITTED:
        value, scale = getattr(centre, count), model.scales[count]
        found += [min(value, -scale.low * (value + FLOOR)), scale.high * (value + FLOOR)]
    return tuple(found)


def bounds(centre: Resources, by_kind: Mapping[str, Widths]) -> tuple[Resources, Resources]:
    """90 % bounds of a sum, from the widths of its parts added up by kind: errors of one kind of
    block are taken as one error, those of different kinds as independent (they add as squares).
    Counts are whole, so the bounds are the nearest whole ones (outwards they would hold more than
    nine in ten); a sum without fitted parts is its own bound."""
    if not any(any(w) for w in by_kind.values()):
        return centre, centre
    lut_below, lut_above, ff_below, ff_above = (
        hypot(*(w[i] for w in by_kind.values())) for i in range(4)
    )
    replace = msgspec.structs.replace
    return (
        replace(centre, lut=_whole(centre.lut - lut_below), ff=_whole(centre.ff - ff_below)),
        replace(centre, lut=_whole(centre.lut + lut_above), ff=_whole(centre.ff + ff_above)),
    )


def _whole(bound: float) -> float:
    return max(0.0, float(floor(bound + 0.5)))


def add_widths(by_kind: dict[str, Widths], kind: str, more: Widths, sign: int = 1) -> None:
    """Add the widths of a part of `kind` to a sum, or take them away with `sign` -1."""
    old = by_kind.get(kind, NO_WIDTHS)
    by_kind[kind] = tuple(a + sign * b for a, b in zip(old, more, strict=True))


def term_values(terms: Iterable[CostTerm], count: str) -> dict[str, float]:
    """What the factors of `count` multiply, by term: LUTs that are no memory, or flip-flops."""
    values: dict[str, float] = {}
    for term in terms:
        found = term.resources
        value = found.lut - found.lutram if count == "lut" else found.ff
        values[term.name] = values.get(term.name, 0.0) + value
    return values


def _scaled(term: CostTerm, lut: Mapping[str, float], ff: Mapping[str, float]) -> CostTerm:
    found = term.resources
    logic = (found.lut - found.lutram) * lut.get(term.name, 1.0)
    flip_flops = found.ff * ff.get(term.name, 1.0)
    resources = Resources(logic + found.lutram, found.lutram, flip_flops, found.dsp, found.ram)
    return CostTerm(term.name, resources)
