"""The commands behind the data set, through the function of the console script."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from codesign.characterise.rows import DATA
from codesign.cli import main
from codesign.tools import yosys


def test_the_report_covers_held_out_rows_blocks_and_networks(capsys) -> None:
    assert main(["model-report", "--family", "xc7", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    lines = {line["title"]: line for line in report["by_reason"]}
    assert set(lines) == {"all held out", "random", "widths", "folding"}
    assert lines["all held out"]["rows"] == sum(line["rows"] for line in report["by_kind"])
    # What docs/results/cost.md says, with room: far worse would be a broken model.
    assert lines["all held out"]["lut_median"] < 0.12
    assert lines["all held out"]["ff_median"] < 0.05
    assert lines["all held out"]["dsp_exact"] > 0.95
    assert len(report["networks"]) >= 3
    for network in report["networks"]:
        assert abs(network["predicted"]["lut"] / network["measured"]["lut"] - 1) < 0.25


def test_the_report_in_words(capsys) -> None:
    assert main(["model-report"]) == 0
    text = capsys.readouterr().out
    assert "xc7: held-out rows by block" in text
    assert "Without coefficients: none" in text


def test_the_figure_has_a_dot_for_every_held_out_row(tmp_path: Path, capsys) -> None:
    words = ["model-report", "--family", "xc7", "--json", "--figures", str(tmp_path)]
    assert main(words) == 0
    (report,) = json.loads(capsys.readouterr().out)
    figure = (tmp_path / "cost-xc7.svg").read_text()
    rows = report["by_reason"][0]["rows"]
    assert rows < figure.count("<circle") <= 2 * rows  # some rows have no flip-flop


def test_no_yosys_for_products_is_one_sentence(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(yosys, "_yowasp", lambda: None)
    assert main(["characterise", "--products", "--out", str(tmp_path)]) == 2
    assert "pip install 'codesign[synth]'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_family_without_coefficients_is_said_to_be_analytic(coefficients, capsys) -> None:
    assert main(["model-report", "--family", "ice40"]) == 0
    assert "Without coefficients: Add, ArgMax" in capsys.readouterr().out
    assert main(["model-report"]) == 0
    assert "No family has coefficients" in capsys.readouterr().out


def test_nothing_to_fit_is_told(tmp_path: Path, capsys) -> None:
    shutil.copy(DATA / "held_out.toml", tmp_path)
    assert main(["calibrate", "--family", "ice40", "--data", str(tmp_path)]) == 2
    assert "codesign characterise --family ice40 makes them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--family", "virtex2"], "device family 'virtex2' is not known"),
        (["--kinds", "Padd"], "no kind of block 'Padd'; did you mean Pad, Add?"),
    ],
)
def test_a_wrong_option_is_one_sentence(words: list[str], message: str, tmp_path, capsys) -> None:
    assert main(["characterise", *words, "--out", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_no_yosys_is_one_sentence(tmp_path: Path, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yosys, "_yowasp", lambda: None)
    assert main(["characterise", "--kinds", "Fork", "--rows", "1", "--out", str(tmp_path)]) == 2
    assert "pip install 'codesign[synth]'" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.csv"))
