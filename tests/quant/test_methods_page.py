"""docs/quantisers.md says what the list of methods says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codesign.quant.config import GRADIENTS
from codesign.quant.methods import METHODS

PAGE = (Path(__file__).parents[2] / "docs" / "quantisers.md").read_text()
ROWS = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| `")]
CELLS = {row[0].strip(" `"): [cell.strip() for cell in row] for row in ROWS}


def words(widths: range) -> str:
    if not widths:
        return "-"
    return f"{widths[0]}-{widths[-1]}" if len(widths) > 1 else f"{widths[0]}"


def test_every_method_has_its_row_and_no_other():
    assert set(CELLS) == {m.name for m in METHODS}


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
def test_widths_year_and_lowering_are_those_of_the_list(method):
    _, _, paper, weights, acts, exported, lowers = CELLS[method.name]
    assert (weights, acts) == (words(method.weight_bits), words(method.act_bits))
    assert re.findall(r"\d{4}", paper) == re.findall(r"\d{4}", method.paper)
    assert (lowers == "on a grid") == method.real_levels
    assert (exported == "nothing") == (method.name == "float")


def test_every_gradient_is_named():
    assert all(f"`{name}`" in PAGE for name in GRADIENTS if name != "ste")
