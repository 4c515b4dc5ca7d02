"""Sweeps: points, resuming, failures, the table and its front."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest

from codesign.cli import main
from codesign.errors import BadInput, ToolMissing
from codesign.files import write_text_atomic
from codesign.sweep.cluster import run_on_cluster
from codesign.sweep.front import front
from codesign.sweep.points import points_of
from codesign.sweep.run import sweep
from codesign.sweep.spec import SweepSpec, find_sweep, load_sweep
from codesign.sweep.table import FILE_NAME, Results
from codesign.sweep.words import folding
from codesign.sweep.work import Outcome, Task, run_task

CNV = SweepSpec(models=("cnv",), boards=("pynq-z1", "zcu104"), weight_bits=(1, 2), act_bits="same")
DONE = {"fits": True, "fps": 10.0, "lut": 5.0, "resources_source": "analytic"}
RECIPE = """
steps = ["train", "export", "lower", "check", "estimate"]
model = { name = "tfc", options = { sizes = [8] } }
data = { name = "digits", limit = 64 }
train = { epochs = 1, batch = 32 }
board = { name = "pynq-z2" }
"""


class Pretended:
    """A runner that remembers what it was asked, and fails where `fails` says so."""

    def __init__(self, fails: int = 0, on: str = "zcu104") -> None:
        self.asked: list[str] = []
        self.fails, self.on = fails, on

    def __call__(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome]]:
        for task in tasks:
            self.asked.append(task.point.id)
            fails = self.asked.count(task.point.id) <= self.fails
            wrong = fails and task.point.board.name == self.on
            yield task, Outcome(error="no luck") if wrong else Outcome({**DONE, "fps_source": "x"})


def read(folder: Path) -> list[dict[str, str]]:
    with (folder / FILE_NAME).open(newline="") as file:
        return list(csv.DictReader(file))


def test_points_are_all_combinations_with_names_of_their_own() -> None:
    points = points_of(CNV)
    assert [(p.board.name, p.weight_bits, p.act_bits) for p in points] == [
        *(("pynq-z1", 1, 1), ("pynq-z1", 2, 2), ("zcu104", 1, 1), ("zcu104", 2, 2))
    ]
    assert len({p.id for p in points}) == 4
    assert [p.id for p in points_of(CNV)] == [p.id for p in points]


def test_a_sweep_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    class Stopped(Pretended):
        def __call__(self, tasks: Sequence[Task]) -> Iterator[tuple[Task, Outcome]]:
            yield from super().__call__(tasks[:1])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(CNV, tmp_path, runner=Stopped())
    assert [row["status"] for row in read(tmp_path)] == ["done"]
    second, third = Pretended(), Pretended()
    assert sweep(CNV, tmp_path, runner=second).skipped == 1
    assert len(second.asked) == 3 and len(read(tmp_path)) == 4
    assert sweep(CNV, tmp_path, runner=third).skipped == 4
    assert third.asked == []


@pytest.mark.parametrize(("fails", "status", "asked"), [(1, "done", 6), (2, "failed", 6)])
def test_a_failure_is_tried_once_more_then_recorded(
    tmp_path: Path, fails: int, status: str, asked: int
) -> None:
    runner = Pretended(fails)
    swept = sweep(CNV, tmp_path, runner=runner)
    rows = {row["board"]: row for row in read(tmp_path)}
    assert len(runner.asked) == asked and len(swept.rows) == 4
    told = "failed: cnv on zcu104: no luck" in swept.page.read_text()
    assert told == (status == "failed")
    assert rows["zcu104"]["status"] == status and rows["zcu104"]["attempts"] == "2"
    assert rows["zcu104"]["error"] == ("no luck" if status == "failed" else "")
    assert rows["pynq-z1"]["status"] == "done" and rows["pynq-z1"]["attempts"] == "1"
    assert rows["pynq-z1"]["codesign_version"] and "git_commit" in rows["pynq-z1"]


def test_the_front_holds_what_no_other_point_of_the_board_beats() -> None:
    points = [(10, 5), (20, 4), (20, 7), (30, 7), (40, 9)]
    rows = [{"board": "b", "fits": "True", "lut": str(x), "fps": str(y)} for x, y in points]
    rows += [{"board": "b", "fits": "False", "lut": "1", "fps": "99"}]
    rows += [{"board": "c", "fits": "True", "lut": "50", "fps": "1"}]
    found = [(row["board"], row["lut"], row["fps"]) for row in front(rows)]
    assert found == [("b", "10", "5"), ("b", "20", "7"), ("b", "40", "9"), ("c", "50", "1")]


def test_layers_get_their_own_weights() -> None:
    spec = SweepSpec(
        models=("cnv",),
        boards=("zcu104",),
        weight_bits=(1,),
        act_bits=(1,),
        layer_weight_bits={"fc9": (2,)},
        target_fps=(100,),
    )
    outcome = run_task(Task(points_of(spec)[0], ""))
    assert "'fc9' has no weights" in outcome.error and "fc2" in outcome.error


def test_foldings_are_an_axis_beside_the_search(tmp_path: Path) -> None:
    spec = msgspec.structs.replace(
        find_sweep("cnv_foldings"), boards=("pynq-z1",), weight_bits=(1,), target_fps=(1000,)
    )
    points = {point.columns["folding"]: point for point in points_of(spec)}
    assert list(points) == ["cnv_500.json", "cnv_3000.json", ""]
    slow = run_task(Task(points["cnv_500.json"], "")).columns
    # The first convolution: 900 windows of 27 values, one a cycle, and 64 rows by 8.
    assert slow["interval_cycles"] == 900 * 27 * 8
    assert slow["fits"] and not slow["meets_target"]


def test_what_a_folding_holds_is_part_of_its_points_name(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    spec = SweepSpec(
        models=("cnv",),
        boards=("zcu104",),
        weight_bits=(1,),
        act_bits="same",
        foldings=(str(path),),
    )
    with pytest.raises(BadInput, match="own.json"):
        points_of(spec)
    names = set()
    for simd in (3, 9):
        write_text_atomic(path, json.dumps({"conv0": {"PE": 4, "SIMD": simd}}))
        names |= {point.id for point in points_of(spec)}
    assert len(names) == 2
    write_text_atomic(path, json.dumps({"conv0": {"PE": 5}}))
    assert "pe must divide rows (64), not 5" in run_task(Task(points_of(spec)[0], "")).error


def test_a_recipe_with_a_folding_of_its_own_says_so_and_is_found_by_its_content(
    tmp_path: Path,
) -> None:
    path = tmp_path / "own.json"
    text = RECIPE + f'\n[target]\nfolding = "{path}"\n'
    write_text_atomic(tmp_path / "tiny.toml", text)
    spec, names = SweepSpec(recipe=str(tmp_path / "tiny.toml")), set()
    for pe in (1, 2):
        write_text_atomic(path, json.dumps({"fc0": {"PE": pe}}))
        (point,) = points_of(spec)
        assert point.columns["folding"] == folding(_row(point)) == "own.json"
        names.add(point.id)
    assert len(names) == 2
    searched, given = points_of(msgspec.structs.replace(spec, foldings=("", str(path))))
    assert searched.recipe.target.folding is None
    assert folding(_row(searched)) == "best"
    assert given.id in names
    with pytest.raises(BadInput, match="pad_channels"):
        points_of(msgspec.structs.replace(spec, pad_channels=(True,)))


def _row(point):
    return {key: str(value) for key, value in point.columns.items()}


def test_padding_is_an_axis_of_estimates_and_of_recipes(tmp_path: Path) -> None:
    write_text_atomic(tmp_path / "tiny.toml", RECIPE)
    spec = SweepSpec(recipe=str(tmp_path / "tiny.toml"), pad_channels=(False, True), seeds=(1, 2))
    points = points_of(spec)
    assert [(p.pad_channels, p.recipe.target.pad_channels) for p in points] == [
        *[(False, False)] * 2,
        *[(True, True)] * 2,
    ]
    spec = SweepSpec(models=("cnv",), boards=("zcu104",), weight_bits=(1,), act_bits="same")
    spec = msgspec.structs.replace(spec, pad_channels=(False, True))
    assert [p.columns["pad_channels"] for p in points_of(spec)] == [False, True]


def test_recipe_points_train_each_width_and_keep_what_is_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_text_atomic(tmp_path / "tiny.toml", RECIPE)
    words = ["sweep", str(tmp_path / "tiny.toml"), "--out", str(tmp_path / "out"), "--json"]
    words += ["--weight-bits", "2,4", "--seeds", "3", "--workers", "1"]
    assert main(words) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(r["weight_bits"], r["seed"], r["fits"]) for r in rows] == [
        *(("2", "3", "True"), ("4", "3", "True"))
    ]
    for row in rows:
        metrics = json.loads((tmp_path / "out/points" / row["folder"] / "metrics.json").read_text())
        assert float(row["test_accuracy"]) == metrics["train"]["test_accuracy"]
        assert float(row["lut"]) == metrics["estimate"]["total"]["lut"]
    assert "<svg" in (tmp_path / "out/pareto.svg").read_text()
    page = (tmp_path / "out/report.html").read_text()
    assert page.count("<svg") == 1 and "<?xml" not in page
    assert all(f"W{row['weight_bits']} A{row['act_bits']}" in page for row in rows)
    assert "2 points: 2 fit" in page


def test_shipped_sweeps_can_be_read() -> None:
    assert len(points_of(find_sweep("cnv_widths"))) == 6
    assert len(points_of(find_sweep("cnv_foldings"))) == 12


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model_s = []", "key 'model_s' is not known; did you mean models"),
        ("title = 'x'", "models must be given, or else recipe"),
        ("models = ['cnv']", "boards must be given with models"),
        ("models = ['cnv']\nboards = ['pink-z1']", "key 'boards'"),
        ("models = ['cnv']\nboards = ['zcu104']\nweight_bits = [0]", "must be 1 to 32"),
        ("models = ['cnv']\nboards = ['zcu104']\nseeds = [1]", "left out with models"),
        (
            "models = ['cnv']\nboards = ['zcu104']\ninput = 'float'",
            "key 'input': input type must be",
        ),
        ("models = ['cnv']\nboards = ['zcu104']\ninput_scale = -1", "input_scale must be over 0"),
    ],
)
def test_a_wrong_sweep_file_is_named_with_its_key(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "s.toml"
    write_text_atomic(path, text)
    with pytest.raises(BadInput, match=words) as caught:
        load_sweep(path)
    assert str(path) in caught.value.message


def test_a_cluster_without_dask_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ToolMissing, match=r"pip install 'codesign\[cluster\]'"):
        next(run_on_cluster((), "tcp://127.0.0.1:9"))


def test_what_cannot_be_swept_ends_in_a_sentence(tmp_path: Path) -> None:
    spec = SweepSpec(models=("nowhere.onnx",), boards=("zcu104",))
    with pytest.raises(BadInput, match="nowhere.onnx.*published shapes: cnv"):
        points_of(spec)
    with pytest.raises(BadInput, match="give weight_bits and act_bits"):
        points_of(SweepSpec(models=("cnv",), boards=("zcu104",)))
    with pytest.raises(BadInput, match="did you mean cnv_widths"):
        find_sweep("cnv_width")
    write_text_atomic(tmp_path / FILE_NAME, "a,b\n1,2\n")
    with pytest.raises(BadInput, match="choose another --out"):
        Results(tmp_path)
