"""A whole job on a few digits: every file, numbers that agree, resume after Ctrl-C."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from codesign.design import load_design, load_params
from codesign.errors import BadInput, Interrupted
from codesign.graph.execute import execute_design, from_real, to_stream
from codesign.report.data import load_report_data
from codesign.train import curve, loop
from codesign.train.pipeline import run_recipe
from codesign.train.reload import trained_model
from codesign.train.run_result import RunResult

RECIPE = """
title = "Tiny"
[model]
name = "cnv"
options = { stages = [[4], [8]], hidden = [16] }
[data]
name = "digits"
limit = 240
[train]
epochs = 5
finetune_epochs = 1
batch = 32
lr = 1e-2
[budget]
board = true
weights_kib = 0.9
[board]
name = "pynq-z2"
[target]
fps = 50_000
"""
FILES = (
    *("checkpoint.pt", "config.json", "design.json", "metrics.json", "model.golden.npz"),
    *("model.onnx", "params.npz", "report.html", "report.json"),
)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture(scope="module")
def result(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return run_recipe(recipe, tmp_path_factory.mktemp("run") / "out", quiet=True)


def test_every_file_is_there_and_nothing_else(result: RunResult) -> None:
    assert sorted(p.name for p in result.folder.iterdir()) == sorted(FILES)


def test_torch_qonnx_integers_and_saved_design_name_the_same_classes(result: RunResult) -> None:
    checks = result.checks
    assert checks.integer_mismatches == 0
    assert checks.export.is_same
    assert checks.integers.ok
    assert checks.integer_accuracy == result.trained.test_accuracy > 0.5
    golden = np.load(result.folder / "model.golden.npz")
    design, params = load_design(result.folder), load_params(result.folder)
    x = to_stream(design.input, from_real(design.input, golden["inputs"]))
    classes = execute_design(design, params, x)[:, 0]
    assert (classes == golden["outputs"].argmax(1)).all()


def test_design_fits_and_widths_keep_the_memory_budget(result: RunResult) -> None:
    assert result.fits
    assert result.trained.projection.fits
    handles = result.trained.handles
    bits = sum(h.numel * h.integer_bits() for h in handles if h.role == "weight")
    assert bits / 8192 <= 0.9
    wide = {h.name: h.integer_bits() for h in handles if h.role == "weight"}
    wtypes = {b.name: b.wtype.bits for b in result.design.blocks if hasattr(b, "wtype")}
    assert wtypes == {name.replace(".", "_"): width for name, width in wide.items()}
    assert result.simulation.fps >= 50_000


def test_metrics_and_report_hold_the_same_numbers(result: RunResult) -> None:
    metrics = json.loads((result.folder / "metrics.json").read_text())
    assert metrics["train"]["test_accuracy"] == result.trained.test_accuracy
    assert metrics["estimate"]["total"]["lut"] == result.estimate.total.lut
    assert metrics["simulate"]["fps"] == result.simulation.fps
    assert set(metrics["seconds"]) == set(result.recipe.steps)
    report = load_report_data(result.folder)
    assert report.verdict.fits
    assert len(report.history) == 6
    assert [a.stage for a in report.accuracies] == ["torch", "qonnx", "integer"]
    assert report.bitwidths is not None
    assert report.simulation is not None
    assert any(width.weight_bits for width in report.widths)


def test_checkpoint_is_read_back_as_the_network(result: RunResult) -> None:
    model, data = trained_model(result.folder)
    x = loop.torch.as_tensor(data.test.x[:16]).float() / 16
    golden = np.load(result.folder / "model.golden.npz")
    assert np.abs(model(x).detach().numpy() - golden["outputs"]).max() < 1e-5


def test_ctrl_c_then_resume_gives_the_same_network(
    recipe: Path, result: RunResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = loop.Trainer._step

    def stop(self: loop.Trainer, *args: object) -> object:
        if self.done == 3:
            raise KeyboardInterrupt
        return real(self, *args)

    monkeypatch.setattr(loop.Trainer, "_step", stop)
    with pytest.raises(Interrupted, match="3 whole epochs"):
        run_recipe(recipe, tmp_path, quiet=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint.pt", "config.json"]
    monkeypatch.undo()
    resumed = run_recipe(recipe, tmp_path, resume=True, quiet=True, steps=("train", "export"))
    assert resumed.trained.bits == result.trained.bits
    golden, again = (
        np.load(folder / "model.golden.npz")["outputs"] for folder in (result.folder, tmp_path)
    )
    assert np.array_equal(golden, again)


def test_resume_without_a_checkpoint_and_a_folder_that_is_no_run(
    recipe: Path, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="without --resume"):
        run_recipe(recipe, tmp_path / "none", resume=True, quiet=True)
    with pytest.raises(BadInput, match="codesign train"):
        trained_model(tmp_path)


NETWORK = """
from torch import nn

class Net(nn.Module):
    def __init__(self, classes, hidden=12):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.ReLU())
        self.head = nn.Linear(hidden, classes)

    def forward(self, x):
        return self.head(self.body(x))
"""
OWN = """
[model]
name = "{module}:Net"
checkpoint = "{folder}/start.pt"
options = {{ hidden = 10 }}
[data]
name = "{folder}/own.npz"
[quant]
weight_bits = 6
[train]
epochs = 2
batch = 32
[board]
name = "arty-a7-35t"
"""


def test_own_network_own_checkpoint_and_own_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "codesign_test_own_network.py").write_text(NETWORK)
    pixels = np.random.default_rng(0).integers(0, 256, (300, 1, 8, 8), dtype=np.uint8)
    labels = pixels[:, 0, :4].sum((1, 2), dtype=int) > pixels[:, 0, 4:].sum((1, 2), dtype=int)
    np.savez(tmp_path / "own.npz", x_train=pixels, y_train=labels.astype(np.int64))
    import codesign_test_own_network as own

    loop.torch.manual_seed(5)
    start = own.Net(classes=2, hidden=10)
    loop.torch.save(start.state_dict(), tmp_path / "start.pt")
    path = tmp_path / "own.toml"
    path.write_text(OWN.format(module="codesign_test_own_network", folder=tmp_path))
    made = run_recipe(path, tmp_path / "out", quiet=True)
    assert made.checks.integer_mismatches == 0
    assert made.checks.integers.ok
    assert made.fits
    assert made.trained.start_bits["body.1", "weight"] == 6


def test_data_that_cannot_be_trained_on_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "one.toml"
    path.write_text(RECIPE.replace("limit = 240", "limit = 1"))
    with pytest.raises(BadInput, match="at least 2 images"):
        run_recipe(path, tmp_path / "out", quiet=True)


def test_curve_shows_the_test_accuracy_of_the_run(result: RunResult, tmp_path: Path) -> None:
    assert curve.main([str(result.folder), str(tmp_path / "curve.svg")]) == 0
    drawn = (tmp_path / "curve.svg").read_text()
    assert f"{result.trained.test_accuracy:.2%}" in drawn
    assert "Tiny" in drawn
    assert curve.main([str(tmp_path), str(tmp_path / "none.svg")]) == 2
    assert not (tmp_path / "none.svg").exists()


def test_a_resume_without_checkpoint_leaves_the_folder_as_it_was(tmp_path):
    with pytest.raises(BadInput, match="no checkpoint to resume from"):
        run_recipe("digits_pynq-z2", tmp_path / "run", resume=True, quiet=True)
    assert not (tmp_path / "run").exists()
