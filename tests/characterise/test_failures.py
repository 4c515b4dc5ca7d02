"""What `codesign characterise` does when synthesis goes wrong, with a small program in Yosys' place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from codesign.characterise.rows import read_rows
from codesign.cli import main
from codesign.tools import yosys
from codesign.tools.yosys import Yosys

# Writes what Yosys would: a LUT for each module that keeps its hierarchy. Fails, or sleeps, where a
# file is called as the variable says; counts its runs.
FAKE = """
import json, os, pathlib, re, sys, time
pathlib.Path(os.environ["RUNS"]).open("a").write("run\\n")
names = [n for p in pathlib.Path().glob("*.sv") for n in re.findall(r"keep_hierarchy \\*\\)\\nmodule (\\w+)", p.read_text())]
if os.environ.get("SLEEPS_AT") in names:
    time.sleep(60)
if os.environ.get("FAILS_AT") in names:
    sys.exit("ERROR: Can't map this")
modules = {"\\\\" + name: {"num_cells_by_type": {"LUT4": 1}} for name in names}
pathlib.Path("cells.json").write_text(json.dumps({"modules": modules}))
"""


@pytest.fixture(autouse=True)
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that counts runs."""
    program = tmp_path / "fake.py"
    program.write_text(FAKE)
    command = (sys.executable, str(program))
    monkeypatch.setattr(yosys, "_yowasp", lambda: Yosys("fake", "1", command, ""))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def _run(out: Path, *words: str) -> int:
    return main(["characterise", "--family", "ecp5", "--out", str(out), *words])


def _states(out: Path) -> dict[tuple[str, int], str]:
    return {(row.kind, row.number): row.state for row in read_rows(out, "ecp5")}


def test_a_failed_synthesis_is_recorded_counted_and_not_tried_again(
    tmp_path: Path, fake: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAILS_AT", "Fork_1")
    words = ("--kinds", "Pad,Fork", "--rows", "2")
    assert _run(tmp_path / "data", *words) == 0
    assert "4 new rows, 1 of them failed" in capsys.readouterr().out
    states = _states(tmp_path / "data")
    assert states.pop(("Fork", 1)) == "error"
    assert set(states.values()) == {"ok"}
    runs = fake.read_text()
    assert _run(tmp_path / "data", *words) == 0
    assert "0 new rows" in capsys.readouterr().out
    assert fake.read_text() == runs


def test_a_synthesis_out_of_time_is_recorded_and_counted(
    tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLEEPS_AT", "Fork_0")
    assert _run(tmp_path / "data", "--kinds", "Fork", "--rows", "1", "--timeout", "1") == 0
    assert "1 new rows, 1 of them failed" in capsys.readouterr().out
    assert _states(tmp_path / "data") == {("Fork", 0): "time"}


def test_a_corrupt_entry_of_the_cache_is_made_again(tmp_path: Path, fake: Path) -> None:
    words = ("--kinds", "Fork", "--rows", "1")
    assert _run(tmp_path / "first", *words) == 0
    assert _run(tmp_path / "second", *words) == 0
    assert fake.read_text().count("run") == 1
    (entry,) = (tmp_path / "cache" / "codesign" / "yosys").glob("*.json")
    entry.write_bytes(entry.read_bytes()[:20])
    assert _run(tmp_path / "third", *words) == 0
    assert fake.read_text().count("run") == 2
    assert [row.lut for row in read_rows(tmp_path / "third", "ecp5")] == [1]


def test_a_folder_without_a_design_is_one_sentence(tmp_path: Path, capsys) -> None:
    assert _run(tmp_path / "data", "--network", str(tmp_path / "nowhere")) == 2
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_no_native_yosys_is_one_sentence(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(yosys, "_native", lambda: None)
    assert _run(tmp_path / "data", "--kinds", "Fork", "--rows", "1", "--native") == 2
    assert "apt-get install yosys" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["calibrate", "--family", "virtex2"], "'virtex2'"),
        (["model-report", "--family", "virtex2"], "'virtex2'"),
        (["characterise", "--products", "--family", "virtex2"], "'virtex2'"),
    ],
)
def test_an_unknown_family_is_one_sentence(words: list[str], message: str, capsys) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
