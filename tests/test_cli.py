"""Every command end to end on a small network, through the function behind the console script."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from codesign.cli import app, main

RECIPE = """
[model]
name = "tfc"
options = { sizes = [16] }

[data]
name = "digits"

[train]
epochs = EPOCHS

[board]
name = "pynq-z2"
"""
HEAVY = ("torch", "onnx", "qonnx", "numba", "matplotlib", "brevitas", "sklearn", "scipy", "numpy")


def _recipe(folder: Path, epochs: int) -> Path:
    path = folder / "digits.toml"
    path.write_text(RECIPE.replace("EPOCHS", str(epochs)))
    return path


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory) -> Path:
    """The folder of `codesign run` on digits for one epoch."""
    folder = tmp_path_factory.mktemp("run")
    out = folder / "out"
    assert main(["run", str(_recipe(folder, 1)), "--out", str(out), "--seed", "7"]) == 0
    return out


@pytest.fixture(scope="module")
def model(run_folder) -> Path:
    """The QONNX file of that run."""
    return run_folder / "model.onnx"


def _json(capsys, *words: object, code: int = 0) -> dict:
    """What a command prints with --json."""
    capsys.readouterr()
    assert main([*map(str, words), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_run_leaves_everything_that_reproduces_it(run_folder):
    files = {path.name for path in run_folder.iterdir()}
    assert files >= {
        "config.json",
        "metrics.json",
        "checkpoint.pt",
        "model.onnx",
        "model.golden.npz",
        "design.json",
        "params.npz",
        "report.json",
        "report.html",
    }
    config = json.loads((run_folder / "config.json").read_text())
    assert config["seed"] == 7
    assert config["recipe"]["train"]["seed"] == 7
    assert "torch" in config["versions"]


def test_run_that_misses_its_target_says_so_and_exits_with_3(tmp_path, capsys):
    recipe = _recipe(tmp_path, 1)
    recipe.write_text(f"{recipe.read_text()}\n[target]\nfps = 1e9\n")
    assert main(["run", str(recipe), "--out", str(tmp_path / "out")]) == 3
    said = "The target is missed"
    assert said in capsys.readouterr().out
    assert said in (tmp_path / "out" / "report.html").read_text()


def test_train_then_export_gives_the_network_of_run(run_folder, model, tmp_path, capsys):
    recipe = _recipe(tmp_path, 1)
    assert main(["train", str(recipe), "--out", str(tmp_path / "t"), "--seed", "7"]) == 0
    assert not (tmp_path / "t" / "model.onnx").exists()
    assert main(["export", str(tmp_path / "t"), "--out", str(tmp_path / "e")]) == 0
    golden = np.load(model.with_name("model.golden.npz"))
    again = np.load(tmp_path / "e" / "model.golden.npz")
    np.testing.assert_array_equal(golden["outputs"], again["outputs"])


def test_import_shows_the_input_and_agrees_with_qonnx(model, capsys):
    facts = _json(capsys, "import", model, "--check", 20)
    assert facts["input"]["shape"] == [8, 8, 1]
    assert facts["check"].startswith("check against qonnx: 20 frames: 20 with qonnx's class")
    assert [b["kind"] for b in facts["blocks"]].count("MatVec") == 2


def test_import_saves_a_design_that_simulate_takes(model, tmp_path, capsys):
    words = ("import", model, "--board", "arty-a7-35t", "--out", tmp_path / "d")
    assert _json(capsys, *words)["verdict"]["fits"] is True
    assert _json(capsys, "simulate", tmp_path / "d")["simulation"]["fps"] > 0


def test_import_takes_the_input_type_and_fractions(model, capsys):
    words = ("--input", "uint8", "--input-scale", "1/16", "--input-offset", "-1/2")
    facts = _json(capsys, "import", model, *words)["input"]
    assert (facts["qtype"], facts["scale"], facts["offset"]) == ("uint8", 0.0625, -0.5)


def test_import_checks_the_inputs_it_is_given(model, tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.load(model.with_name("model.golden.npz"))["inputs"])
    facts = _json(capsys, "import", model, "--check", 5, "--inputs", tmp_path / "x.npy")
    assert "5 frames: 5 with" in facts["check"]


def test_estimate_json_adds_up(model, capsys):
    data = _json(capsys, "estimate", model, "--board", "pynq-z1", "--per-bitwidth")
    parts = [part["resources"].get("lut", 0) for part in (*data["blocks"], *data["streams"])]
    assert sum(parts) + data["adapters"]["lut"] == pytest.approx(data["total"]["lut"])
    assert data["verdict"]["fits"] is True
    assert [row["bits"] for row in data["bitwidths"]["uniform"]] == list(range(1, 9))
    assert data["bitwidths"]["refolded"] == []
    assert data["fps"]["source"] == "analytic"


def test_estimate_folds_every_width_anew_when_asked(model, capsys):
    table = _json(capsys, "estimate", model, "--board", "pynq-z1", "--refold")["bitwidths"]
    assert [row["bits"] for row in table["refolded"]] == list(range(1, 9))
    kept = {row["bits"]: row["fps"] for row in table["uniform"]}
    assert all(row["fps"] >= kept[row["bits"]] for row in table["refolded"])


def test_estimate_meets_a_target_with_less(model, capsys):
    most = _json(capsys, "estimate", model, "--board", "pynq-z1")
    some = _json(capsys, "estimate", model, "--board", "pynq-z1", "--target-fps", 20_000)
    assert 20_000 <= some["fps"]["value"] < most["fps"]["value"]
    assert some["total"]["lut"] < most["total"]["lut"]


def test_estimate_and_simulate_agree_on_a_saved_design(model, tmp_path, capsys):
    out = tmp_path / "d"
    assert main(["estimate", str(model), "--board", "pynq-z1", "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "Fits pynq-z1" in text
    assert (out / "report.html").exists()
    analytic = _json(capsys, "estimate", out)
    simulated = _json(capsys, "simulate", out)["simulation"]
    assert simulated["interval_cycles"] == max(b["interval_cycles"] for b in analytic["blocks"])
    assert simulated["fps"] == pytest.approx(analytic["fps"]["value"])


def test_another_board_folds_a_saved_design_anew(run_folder, capsys):
    small = _json(capsys, "estimate", run_folder, "--board", "pynq-z1-3pct")
    own = _json(capsys, "estimate", run_folder)
    assert small["board"]["name"] == "pynq-z1-3pct"
    assert small["fps"]["value"] < own["fps"]["value"]


def test_simulate_prints_stages_and_fifos(run_folder, capsys):
    assert main(["simulate", str(run_folder)]) == 0
    text = capsys.readouterr().out
    assert "Starved" in text
    assert "High water" in text
    assert "(simulated)" in text


def test_report_is_drawn_again_from_its_data(run_folder, capsys):
    page = run_folder / "report.html"
    before = page.read_text()
    page.unlink()
    assert main(["report", str(run_folder)]) == 0
    assert page.read_text() == before


def test_report_of_a_design_alone_is_simulated(run_folder, tmp_path):
    for name in ("design.json", "params.npz"):
        (tmp_path / name).write_bytes((run_folder / name).read_bytes())
    assert main(["report", str(tmp_path)]) == 0
    text = (tmp_path / "report.html").read_text()
    assert 'data-figure="timeline"' in text
    assert 'data-figure="training"' not in text


def test_boards_prints_each_one_with_its_source(capsys):
    boards = {b["name"]: b for b in _json(capsys, "boards")}
    assert boards["pynq-z1"]["device"]["BRAM18"] == 280
    assert all(b["source"] for b in boards.values())


def test_doctor_names_what_is_missing_and_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setenv("PATH", "")
    found = {check["name"]: check for check in _json(capsys, "doctor")}
    assert not found["verilator"]["found"]
    assert "apt-get install verilator" in found["verilator"]["install"]


@pytest.mark.parametrize("command", [command.name for command in app.registered_commands])
def test_help_of_every_command_has_an_example(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"codesign {command}" in capsys.readouterr().out.split("Example:")[1]


@pytest.mark.parametrize("words", [["boards"], ["--help"], ["run", "--help"], ["nonsense"]])
def test_light_commands_import_nothing_heavy(words):
    code = f"import sys; from codesign.cli import main; main({words!r}); print('|', *sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(out.stdout.rpartition("|")[2].split())
    assert loaded.isdisjoint(HEAVY)


def test_python_m_codesign_is_the_command():
    words = [sys.executable, "-m", "codesign", "boards", "--json"]
    out = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(out.stdout)


def test_ctrl_c_exits_130_and_keeps_a_usable_checkpoint(tmp_path):
    out = tmp_path / "out"
    words = ["train", str(_recipe(tmp_path, 10_000)), "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "codesign", *words], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    seen = ""
    while "epoch   2/" not in seen and process.poll() is None and time.monotonic() < deadline:
        seen += process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=30)
    assert process.returncode == 130, seen + rest
    assert "--resume" in rest
    assert "Traceback" not in rest
    assert main(["export", str(out)]) == 0
