"""The fit: coefficients of made-up rows come back, held-out rows are not seen, bounds hold."""

from __future__ import annotations

import shutil
from pathlib import Path
from statistics import median

import msgspec
import numpy as np
import pytest

from codesign.characterise import fit as fitting
from codesign.characterise.assess import line, measured
from codesign.characterise.draws import drawn
from codesign.characterise.fit import fit, fit_kind
from codesign.characterise.held_out import load_held_out
from codesign.characterise.rows import DATA, Row, add_rows, row_of
from codesign.cost.family import load_family
from codesign.cost.model import FLOOR, Scale, term_values
from codesign.errors import BadInput
from codesign.tools.yosys import Synthesis

XC7 = load_family("xc7")
FACTORS = {"border": 1.3, "counters": 0.8, "handshake": 0.8}


def _rows(numbers: range, noise: float = 0.0, seed: int = 0) -> list[Row]:
    """Pads whose LUTs follow FACTORS, with an error of `noise`."""
    dice, rows = np.random.default_rng(seed), []
    for number in numbers:
        unit, _ = drawn("Pad", number)
        values = term_values(unit.cost_terms(XC7), "lut")
        luts = 4 + sum(FACTORS[name] * value for name, value in values.items())
        luts *= 1 + noise * dice.standard_normal()
        flip_flops = sum(term_values(unit.cost_terms(XC7), "ff").values())
        cells = {"LUT3": round(luts), "FDRE": round(flip_flops)}
        rows.append(row_of(unit, number, "xc7", "", Synthesis("t", "1", "xc7", cells, 900, 1.0)))
    return rows


def _predicted(scale: Scale, row: Row) -> float:
    values = term_values(drawn("Pad", row.number)[0].cost_terms(XC7), "lut")
    return scale.factors["base"] + sum(scale.factors[name] * v for name, v in values.items())


def test_further_rows_of_the_same_law_are_predicted() -> None:
    scale = fit_kind(_rows(range(80))).scales["lut"]
    errors = [abs(_predicted(scale, row) / row.lut - 1) for row in _rows(range(100, 200))]
    assert max(errors) < 0.06
    assert scale.median_error < 0.02


def test_a_row_of_its_own_kind_does_not_turn_the_others() -> None:
    rows = _rows(range(60))
    rows[7] = msgspec.structs.replace(rows[7], lut=20 * rows[7].lut)
    scale = fit_kind(rows).scales["lut"]
    errors = [abs(_predicted(scale, row) / row.lut - 1) for row in _rows(range(100, 200))]
    assert median(errors) < 0.04


def test_bounds_hold_nine_of_ten_further_rows() -> None:
    scale = fit_kind(_rows(range(100), noise=0.1)).scales["lut"]
    fresh, inside = _rows(range(100, 400), noise=0.1, seed=1), 0
    for row in fresh:
        found = _predicted(scale, row)
        inside += scale.low <= (row.lut - found) / (found + FLOOR) <= scale.high
    assert 0.83 < inside / len(fresh) < 0.97


def test_held_out_rows_do_not_touch_the_coefficients(tmp_path: Path) -> None:
    shutil.copy(DATA / "held_out.toml", tmp_path)
    rules, rows = load_held_out(tmp_path), _rows(range(40))
    add_rows(tmp_path, "xc7", "Pad", rows)
    before = fit("xc7", tmp_path, tmp_path / "out")
    held = [msgspec.structs.replace(r, lut=9999) for r in rows if rules.reason(r)]
    assert 6 <= len(held) <= 16
    add_rows(tmp_path, "xc7", "Pad", held)
    assert fit("xc7", tmp_path, tmp_path / "out") == before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"number": 13}, "random"),
        ({"number": 1, "weight_bits": 4, "in_bits": 4}, "widths"),
        ({"number": 1, "pe": 5, "simd": 8}, "folding"),
        ({"number": 1, "pe": 4, "simd": 2}, None),
    ],
)
def test_the_rules_of_the_held_out_rows(change: dict, reason: str | None) -> None:
    row = msgspec.structs.replace(_rows(range(1))[0], **{"pe": 1, "simd": 1, **change})
    assert load_held_out(DATA).reason(row) == reason


def test_too_few_rows_are_told(tmp_path: Path) -> None:
    shutil.copy(DATA / "held_out.toml", tmp_path)
    add_rows(tmp_path, "xc7", "Pad", _rows(range(fitting.FEWEST_ROWS - 2)))
    with pytest.raises(
        BadInput, match=f"no kind of block has {fitting.FEWEST_ROWS} rows; codesign characterise"
    ):
        fit("xc7", tmp_path, tmp_path / "out")


def test_a_36_kbit_memory_counts_twice() -> None:
    row = msgspec.structs.replace(_rows(range(1))[0], ram="RAMB18=1 RAMB36=2")
    assert measured(row)["ram"] == 5


def test_a_line_without_rows_has_no_figures() -> None:
    assert line("none", []).lut_median is None
