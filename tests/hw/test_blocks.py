"""Laws 3 and 4: the RTL of every block has the bits of `execute` and the cycles of the simulator.

Sources and sinks run freely, then with a random gap before every token; channels are as deep as full
rate needs, or of random depth. `make conformance` runs 2,000 random blocks instead of a few.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from codesign.blocks import BLOCKS, Window
from codesign.blocks.base import Block, Fold
from tests.hw import harness
from tests.hw.harness import XC7, XCUP, Case, case_of, check, expected_times
from tests.hw.random_blocks import random_block
from tests.marks import needs_verilator

pytestmark = needs_verilator
BATCH = 40
FEW_RANDOM_BLOCKS = 54


def _some(folds: Sequence[Fold], seed: int) -> list[Fold]:
    """The slowest, the fastest, and up to three between."""
    between = list(folds[1:-1])
    chosen = random.Random(seed).sample(between, min(3, len(between)))
    return list(dict.fromkeys([folds[0], *chosen, folds[-1]]))


def _examples() -> list[tuple[Block, dict]]:
    examples = [example for cls in BLOCKS for example in cls.examples()]
    return [
        (block.folded(fold), params)
        for seed, (block, params) in enumerate(examples)
        for fold in (*_some(block.legal_folds(), seed), *_large(block, seed))
    ]


def _large(block: Block, seed: int) -> list[Fold]:
    """Two foldings with weights in a memory that is filled at start-up, where the block has any."""
    found = [fold for fold in block.folds_on(XCUP) if fold.memory == "large"]
    return random.Random(seed).sample(found, 2) if found else []


def _batches(kind: str, blocks: Sequence[tuple[Block, dict]]) -> list[object]:
    cases = [case_of(block, params, seed) for seed, (block, params) in enumerate(blocks)]
    starts = range(0, len(cases), BATCH)
    return [pytest.param(cases[i : i + BATCH], id=f"{kind}{i}") for i in starts]


def _random() -> list[tuple[Block, dict]]:
    return [random_block(seed) for seed in range(FEW_RANDOM_BLOCKS)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "cases", [*_batches("example", _examples()), *_batches("random", _random())]
)
def test_bits_and_cycles(cases: list[Case], tmp_path: Path) -> None:
    for seed in (None, 1):
        check(cases, tmp_path, seed)


def _some_case() -> Case:
    block, params = BLOCKS[0].examples()[3]
    return case_of(block, params, 0)


def test_a_wrong_bit_is_found(tmp_path: Path) -> None:
    case = _some_case()
    weight = case.params["weight"].copy()
    weight[1, 2] += 1 if weight[1, 2] < 7 else -1
    broken = replace(case)
    broken.__dict__["rtl"] = case.block.rtl({"weight": weight}, XC7)
    with pytest.raises(AssertionError, match="mvu_3 .*, channel out0, data of beat 1: expected"):
        check([broken], tmp_path, None)


def test_a_wrong_cycle_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = _some_case()
    late = replace(case, styles=case.styles | {"out0": 1 - case.styles["out0"]})
    monkeypatch.setattr(Case, "machine", lambda self, gaps, law=Case.machine: law(late, gaps))
    with pytest.raises(AssertionError, match="channel out0, release of beat 0: expect"):
        check([case], tmp_path, None)


def test_a_wrong_cycle_inside_a_block_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = case_of(*Window.examples()[0], 0)

    def late(case: Case, gaps: dict) -> dict:
        times = expected_times(case, gaps)
        written, released = times["lines"]
        return times | {"lines": (written, [*released[:-1], released[-1] + 1])}

    monkeypatch.setattr(harness, "expected_times", late)
    with pytest.raises(AssertionError, match=r"channel lines, release of beat \d+: expected"):
        check([case], tmp_path, None)
