"""Laws 3 and 4: the RTL of every block has the bits of `execute` and the cycles of the simulator."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codesign.blocks import BLOCKS
from tests.hw.harness import Case, case_of, check

needs_verilator = pytest.mark.skipif(
    shutil.which("verilator") is None, reason="verilator is not installed"
)
BATCH = 40


def _cases() -> list[Case]:
    """Every example of every block under every folding."""
    examples = [(block, params) for cls in BLOCKS for block, params in cls.examples()]
    folded = [(b.folded(fold), params) for b, params in examples for fold in b.legal_folds()]
    return [case_of(block, params, seed) for seed, (block, params) in enumerate(folded)]


def _batches() -> list[object]:
    cases = _cases()
    parts = [cases[i : i + BATCH] for i in range(0, len(cases), BATCH)]
    return [pytest.param(part, id=f"{part[0].label} to {part[-1].label}") for part in parts]


@needs_verilator
@pytest.mark.parametrize("seed", [None, 1], ids=["free", "stalled"])
@pytest.mark.parametrize("cases", _batches())
def test_bits_and_cycles(cases: list[Case], seed: int | None, tmp_path: Path) -> None:
    check(cases, tmp_path, seed)
