"""Coefficients of the cost models: bounded least squares on the rows that are not held out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from codesign.characterise.held_out import load_held_out
from codesign.characterise.rows import OK, Row, read_rows, unit_of
from codesign.cost.family import load_family
from codesign.cost.model import (
    BASE,
    COEFFICIENTS,
    FITTED,
    FLOOR,
    FamilyModel,
    KindModel,
    Scale,
    term_values,
)
from codesign.cost.resources import CostTerm, total
from codesign.errors import BadInput
from codesign.files import write_bytes_atomic

# Kinds with fewer rows keep their analytic values.
FEWEST_ROWS = 6
FOLDS = 10
ROUNDS = 4
# Every factor is drawn towards 1, or towards the one that suits all terms together, with the weight
# of so many rows; cross-validation finds which.
PRIORS = tuple((own, rows) for own in (True, False) for rows in (1.0, 10.0, 100.0))
# No physical term comes out at more than this many times its count, nothing beside them is larger.
MOST_FACTOR = 3.0
MOST_BASE = 50.0
# Relative errors beyond this count less and less: a row that synthesis treats in a way of its own, for
# instance because its constants make most of it superfluous.
COMMON_ERROR = 0.15
# No row speaks against a prior with more than this relative error.
MOST_LOSS = 0.5
COVERAGE = 0.9


def fit(family: str, data: Path, out: Path = COEFFICIENTS) -> FamilyModel:
    """Fit every kind of block that has FEWEST_ROWS rows and write `out`/<family>.json.

    Rows that are held out are not read. Raises BadInput when there is nothing to fit.
    """
    rows = training_rows(family, data)
    kinds = {row.kind for row in rows}
    models = {kind: fit_kind([r for r in rows if r.kind == kind]) for kind in sorted(kinds)}
    models = {kind: model for kind, model in models.items() if model is not None}
    if not models:
        raise BadInput(
            f"{data / family}: no kind of block has {FEWEST_ROWS} rows; codesign characterise "
            f"--family {family} makes them",
            family=family,
        )
    model = FamilyModel(family, " ".join(sorted({f"{r.tool} {r.version}" for r in rows})), models)
    text = msgspec.json.format(msgspec.json.encode(model), indent=1)
    write_bytes_atomic(out / f"{family}.json", text + b"\n")
    return model


def training_rows(family: str, data: Path) -> list[Row]:
    """Rows of `family` that are there and not held out."""
    rules = load_held_out(data)
    return [r for r in read_rows(data, family) if r.state == OK and rules.reason(r) is None]


def terms_of(row: Row) -> tuple[CostTerm, ...]:
    """Analytic terms of the configuration of `row`."""
    return unit_of(row).cost_terms(load_family(row.family))


def as_designed(row: Row) -> bool:
    """False where synthesis put a memory into block RAM that the folding has in LUTs, or the other
    way round: that is another circuit, and counted as a miss of its memories."""
    expected = total(term.resources for term in terms_of(row)).ram
    return bool(row.ram) == any(expected.values())


def fit_kind(rows: Sequence[Row]) -> KindModel | None:
    """Scales of one kind of block; None for fewer than FEWEST_ROWS rows."""
    rows = [row for row in rows if as_designed(row)]
    if len(rows) < FEWEST_ROWS:
        return None
    terms = [terms_of(row) for row in rows]
    scales = {count: _scale(rows, terms, count) for count in FITTED}
    delays_ps = sorted(row.logic_ps for row in rows)
    return KindModel(len(rows), scales, delays_ps[int(COVERAGE * len(delays_ps))])


def _scale(rows: Sequence[Row], terms: Sequence[tuple[CostTerm, ...]], count: str) -> Scale:
    """Factors of all rows; bounds and error of each row predicted from the other nine tenths."""
    values = [term_values(t, count) for t in terms]
    names = sorted({name for value in values for name in value})
    x = np.array([[value.get(name, 0.0) for name in names] + [1.0] for value in values])
    memory = np.array([sum(t.resources.lutram for t in ts) for ts in terms])
    memory = memory if count == "lut" else 0 * memory
    y = np.array([float(getattr(row, count)) for row in rows])
    best = min(PRIORS, key=lambda p: _loss(y, _unseen(x, y - memory, p) + memory))
    unseen = _unseen(x, y - memory, best) + memory
    low, high = _interval((y - unseen) / (unseen + FLOOR))
    error = float(np.median(np.abs(y - unseen) / np.maximum(y, 1)))
    found = _factors(x, y - memory, best).tolist()
    factors = {name: round(f, 4) for name, f in zip((*names, BASE), found, strict=True)}
    return Scale(factors, round(low, 4), round(high, 4), round(error, 4))


def _loss(y: np.ndarray, found: np.ndarray) -> float:
    return float(np.minimum(np.abs((y - found) / (y + FLOOR)), MOST_LOSS).mean())


def _factors(x: np.ndarray, y: np.ndarray, drawn: tuple[bool, float]) -> np.ndarray:
    """Factors (terms, then base) of least relative error within bounds, `drawn` as in PRIORS.

    Least squares, repeated with less weight on rows of large error (Cauchy's weights).
    """
    weight = 1 / (np.abs(y) + FLOOR)
    sums = x[:, :-1].sum(axis=1)
    to_one, prior_rows = drawn
    common = 1.0 if to_one or not sums.any() else np.median(y[sums > 0] / sums[sums > 0])
    prior = np.full(x.shape[1], min(common, MOST_FACTOR))
    prior[-1] = 0.0
    factors = prior
    for _ in range(ROUNDS):
        error = np.abs(x @ factors - y) * weight
        trust = 1 / (1 + (error / COMMON_ERROR) ** 2)
        factors = _least_squares(x, y, weight * np.sqrt(trust), prior, prior_rows)
    return factors


def _least_squares(
    x: np.ndarray, y: np.ndarray, weight: np.ndarray, prior: np.ndarray, prior_rows: float
) -> np.ndarray:
    from scipy.optimize import lsq_linear

    a, b = x * weight[:, None], y * weight
    pull = np.sqrt(prior_rows * (a**2).mean(axis=0))
    most = np.full(len(prior), MOST_FACTOR)
    most[-1] = MOST_BASE
    both = np.vstack([a, np.diag(pull)]), np.concatenate([b, pull * prior])
    factors = lsq_linear(*both, bounds=(0, most)).x
    # A term that no row has says nothing of itself.
    return np.where(pull > 0, factors, prior)


def _unseen(x: np.ndarray, y: np.ndarray, drawn: tuple[bool, float]) -> np.ndarray:
    """Each row as predicted from a fit without its tenth of the rows."""
    folds = np.arange(len(y)) % min(FOLDS, len(y))
    found = np.empty(len(y))
    for fold in set(folds.tolist()):
        out = folds == fold
        found[out] = x[out] @ _factors(x[~out], y[~out], drawn)
    return found


def _interval(errors: np.ndarray) -> tuple[float, float]:
    """Bounds that hold a further error of the same kind with probability COVERAGE.

    Split conformal prediction (Vovk, Gammerman, Shafer, Algorithmic Learning in a Random World,
    2005): n errors part the line into n + 1 pieces in which a further one is equally likely, so the
    bounds lie at ranks of n + 1; between two errors in proportion, because the next outer one of
    30 rows would hold 94 %. The outermost errors where there are fewer than 19.
    """
    ordered, n = np.sort(errors), len(errors)
    tail = (1 - COVERAGE) / 2
    low, high = np.interp([tail * (n + 1), (1 - tail) * (n + 1)], np.arange(1, n + 1), ordered)
    return min(0.0, float(low)), max(0.0, float(high))
