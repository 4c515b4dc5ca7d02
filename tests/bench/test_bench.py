"""The frame of comparisons: intervals, verdicts, resumption, and a trial of every table."""

from __future__ import annotations

from dataclasses import replace
from statistics import mean, stdev

import msgspec
import numpy as np
import pytest
import torch
from scipy import stats

from codesign.bench.frame import Bench, Context, Entry, Score, result
from codesign.bench.run import markdown, run_bench
from codesign.bench.tables import TABLES, bench
from codesign.bench.verdict import (
    ALONE,
    CONTRADICTED,
    NOT_PUBLISHED,
    REPRODUCED,
    UNRESOLVED,
    Published,
    claims,
    verdicts,
)
from codesign.cli import main
from codesign.data import cifar10
from codesign.errors import BadInput
from codesign.intervals import difference, half_interval


def test_intervals_are_those_of_scipy():
    a, b = [8.1, 8.9, 8.3, 8.8], [9.4, 9.9, 10.6]
    low, high = stats.ttest_1samp(a, 0).confidence_interval(0.95)
    assert half_interval(a) == pytest.approx((high - low) / 2)
    low, high = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.95)
    gap, half = difference(a, b)
    assert (gap - half, gap + half) == pytest.approx((low, high))
    assert half_interval(a) == pytest.approx(3.18245 * stdev(a) / 2, rel=1e-4)
    assert difference([1.0], [2.0])[1] == float("inf")


def test_claims_join_neighbours_of_a_group():
    rows = {
        "a": Published("x", 8.5),
        "b": Published("x", 8.8),
        "c": Published("x", 17.8),
        "d": Published("x", None),
        "e": Published("y", 9.0),
        "f": Published("y", 10.0),
    }
    assert set(claims(rows, 1.0)) == {("a", "c"), ("b", "c")}
    assert set(claims(rows, 0.1)) == {("a", "b"), ("b", "c"), ("e", "f")}


def test_verdicts_of_clear_unclear_and_reversed_orders():
    rows = {name: Published("", value) for name, value in (("a", 1), ("b", 2), ("c", 3), ("d", 4))}
    measured = {
        "a": [5.0, 5.1, 4.9],
        "b": [7.0, 7.1, 6.9],
        "c": [7.0, 7.3, 6.8],
        "d": [2, 2.1, 1.9],
    }
    found = {name: verdict for name, (verdict, _) in verdicts(rows, measured, 0.0).items()}
    assert found == {"a": REPRODUCED, "b": UNRESOLVED, "c": CONTRADICTED, "d": CONTRADICTED}


def test_a_published_value_without_a_neighbour_has_no_verdict():
    rows = {"a": Published("x", 9.36), "b": Published("x", None)}
    found = verdicts(rows, {"a": [10.0, 10.1], "b": [12.0, 12.1]}, 1.0)
    assert found == {"a": (ALONE, ""), "b": (NOT_PUBLISHED, "")}


def counting(calls: list) -> Bench:
    def measure(entry: Entry, seed: int, context: Context) -> Score:
        calls.append((entry.name, seed))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return Score(seed, last=entry.job + 0.1 * seed, best=entry.job, seconds=1.0)

    entries = (Entry("Good, one", 1.0, 5.0), Entry("bad", 3.0, 8.0))
    return Bench("t", "T", "P", "%", "%", 3, entries, measure)


def test_a_stopped_table_goes_on_where_it_stopped(tmp_path):
    calls: list = []
    table, context = counting(calls), Context(tmp_path, line=lambda text: None)
    with pytest.raises(KeyboardInterrupt):
        run_bench(table, context)
    found = run_bench(table, context)
    assert calls == [("Good, one", 0), ("Good, one", 1), *[("Good, one", 2)] * 2] + [
        ("bad", seed) for seed in range(3)
    ]
    good, bad = found.rows
    assert good.last == pytest.approx(mean([5.0, 5.1, 5.2]))
    assert (good.verdict, bad.verdict) == (REPRODUCED, REPRODUCED)
    saved = msgspec.json.decode((tmp_path / "t.json").read_bytes())
    assert saved["rows"][1]["scores"][2]["last"] == pytest.approx(8.2)
    assert "| bad | 8.1 ± 0.25 | 8 ± 0 | 3 | order reproduced (Good, one before bad) |" in markdown(
        found
    )
    with pytest.raises(BadInput, match="another protocol"):
        run_bench(replace(table, protocol="Q"), context)


def test_a_diverged_run_is_said_so():
    scores = (Score(0, 90.0, None, diverged=True), Score(1, 10.0, 9.0))
    table = Bench("t", "T", "P", "%", "%", 2, (Entry("a", None, None),), None)
    assert "(1 of 2 diverged)" in markdown(result(table, {"a": scores}, {}))


@pytest.mark.parametrize(
    ("name", "words"),
    [("gausian", "did you mean gaussian"), ("xyz", "known: gaussian.*fdqmp, ondevice")],
)
def test_an_unknown_table_is_refused_with_the_nearest_or_all_names(name, words):
    with pytest.raises(BadInput, match=words):
        bench(name)


PIXELS = 32


@pytest.fixture
def tiny_cifar(tmp_path_factory, monkeypatch):
    """Noise in CIFAR-10's binary format, 100 images a file instead of 10,000."""
    monkeypatch.setattr(cifar10, "BATCH_ROWS", 100)
    root = tmp_path_factory.mktemp("data")
    folder = root / "cifar-10-batches-bin"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in (*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"):
        rows = rng.integers(0, 256, (100, 1 + 3 * PIXELS**2), dtype=np.uint8)
        rows[:, 0] %= 10
        (folder / name).write_bytes(rows.tobytes())
    names = [
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ]
    (folder / "batches.meta.txt").write_text("\n".join(names) + "\n")
    return root


# One row of each kind: a part of the protocol far too small to learn.
ROWS = {
    "dq1": ("P2, W+A float",),
    "dq3": ("learned widths (8a+8c)",),
    "qat": ("BNN (1 bit)", "PACT"),
    "width": ("2 bits",),
    "inq": ("5 bits, random",),
    "fdqmp": ("W2A2 EWGS",),
    "qat2": ("SAT", "LQ-Net", "scalar centroids"),
    "ondevice": ("vgg, W4A4, predsim", "mlp, sim", "vgg, NITI int4"),
}


def test_a_trial_of_every_trained_table(tiny_cifar, tmp_path):
    assert set(ROWS) | {"gaussian", "step"} == set(TABLES)
    for name, wanted in ROWS.items():
        table = bench(name)
        chosen = tuple(e for e in table.entries if e.name.startswith(wanted))
        assert len(chosen) >= len(wanted)
        context = Context(tmp_path / name, tiny_cifar, part=0.001, line=lambda text: None)
        found = run_bench(replace(table, entries=chosen), context, seeds=1)
        for row in found.rows:
            assert 0 <= row.last <= 100
            assert row.best is not None or row.scores[0].diverged


def test_a_trial_of_the_quick_tables(tmp_path):
    for name in ("gaussian", "step"):
        context = Context(tmp_path / name, part=0.02, line=lambda text: None)
        found = run_bench(bench(name), context, seeds=1)
        assert all(row.last > 0 for row in found.rows)
        assert found.protocol.startswith("A TRIAL with 0.02 of the images")


def test_published_orders_of_the_tables():
    """Figures of the papers that the tables must carry."""
    rows = {name: {e.name: e.published for e in bench(name).entries} for name in ROWS}
    assert rows["dq1"]["U3, W+A float"] == 7.40
    assert rows["dq1"]["P2, W random"] == 53.07
    assert rows["qat"]["QNN"] == 19.5
    assert rows["inq"]["2 bits"] == 33.98
    assert rows["fdqmp"]["W3A3 EWGS, InvTanh"] == 33.59
    assert rows["dq3"]["learned widths (8a)"] == 8.59
    assert rows["qat2"]["APoT"] == pytest.approx(100 - 92.49)
    assert rows["ondevice"]["vgg, predsim"] == 5.58
    assert rows["ondevice"]["vgg, NITI int8"] == pytest.approx(100 - 90.64)


def test_a_device_that_is_not_there_is_refused_before_anything_runs(tmp_path, capsys):
    assert main(["bench", "step", "--device", "gpu", "--out", str(tmp_path / "a")]) == 2
    assert "auto, cpu, cuda" in capsys.readouterr().err
    if not torch.cuda.is_available():
        assert main(["bench", "step", "--device", "cuda", "--out", str(tmp_path / "a")]) == 2
        assert "no CUDA GPU" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()
