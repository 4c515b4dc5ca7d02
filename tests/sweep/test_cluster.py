"""Sweeps on Dask clusters of worker processes here, some of which are killed."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from codesign.errors import BadInput
from codesign.sweep.cluster import run_on_cluster
from codesign.sweep.local import run_local
from codesign.sweep.run import sweep
from codesign.sweep.spec import SweepSpec
from codesign.sweep.work import Outcome, Task

distributed = pytest.importorskip("distributed")
THREE = SweepSpec(models=("cnv",), boards=("zcu104",), weight_bits=(1, 2, 4), act_bits="same")


@contextmanager
def cluster(**settings: object) -> Iterator[str]:
    """The address of a scheduler with one worker process, and a nanny that starts it again."""
    import dask

    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None}
    settings = {f"distributed.scheduler.{key}": value for key, value in settings.items()}
    with (
        dask.config.set(settings),
        distributed.LocalCluster(processes=True, **options) as started,
    ):
        yield started.scheduler_address


def killed_at_two_bits(folder: Path, once: bool, task: Task) -> Outcome:
    """The process that works at 2 bits ends as `kill -9` ends it; each try leaves a file behind."""
    (folder / f"w{task.point.weight_bits}_{os.getpid()}").touch()
    tries = len(list(folder.glob("w2_*")))
    if task.point.weight_bits == 2 and not (once and tries > 1):
        os.kill(os.getpid(), signal.SIGKILL)
    return Outcome(
        {"fits": True, "fps": 1.0, "lut": 1.0, "fps_source": "x", "resources_source": "x"}
    )


@pytest.mark.filterwarnings("ignore")
def test_a_real_sweep_runs_through_the_address_of_a_scheduler(tmp_path: Path, models_dir) -> None:
    spec = SweepSpec(
        models=(str(models_dir / "TFC_2W2A.onnx"),),
        boards=("pynq-z1",),
        weight_bits=(1, 2),
        act_bits="same",
    )
    with cluster() as address:
        swept = sweep(spec, tmp_path, scheduler=address)
    assert [row["status"] for row in swept.rows] == ["done", "done"]
    assert 0 < float(swept.rows[0]["lut"]) < float(swept.rows[1]["lut"])
    assert all("Proven" in row["proof"] for row in swept.rows)


@pytest.mark.filterwarnings("ignore")
def test_a_point_that_kills_its_worker_is_retried_then_recorded(tmp_path: Path) -> None:
    work = partial(killed_at_two_bits, tmp_path, False)
    with cluster(**{"allowed-failures": 1}) as address:
        swept = sweep(THREE, tmp_path, runner=lambda t: run_on_cluster(t, address, work))
    rows = {row["weight_bits"]: row for row in swept.rows}
    assert [rows[b]["status"] for b in "124"] == ["done", "failed", "done"]
    assert rows["2"]["attempts"] == "2"
    assert "its worker on the cluster was lost: KilledWorker" in rows["2"]["error"]
    assert len(list(tmp_path.glob("w2_*"))) == 4  # twice on each of two attempts
    assert len(list(tmp_path.glob("w[14]_*"))) == 2


@pytest.mark.filterwarnings("ignore")
def test_a_worker_killed_once_costs_no_point(tmp_path: Path) -> None:
    work = partial(killed_at_two_bits, tmp_path, True)
    with cluster() as address:
        swept = sweep(THREE, tmp_path, runner=lambda t: run_on_cluster(t, address, work))
    assert [row["status"] for row in swept.rows] == ["done"] * 3
    assert len(list(tmp_path.glob("w2_*"))) == 2


def test_a_local_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    work = partial(killed_at_two_bits, tmp_path, False)
    swept = sweep(THREE, tmp_path, runner=lambda tasks: run_local(tasks, 1, work))
    rows = {row["weight_bits"]: row for row in swept.rows}
    assert [rows[b]["status"] for b in "124"] == ["done", "failed", "done"]
    assert rows["2"]["error"] == "its worker process ended with exit code -9"
    assert len(list(tmp_path.glob("w2_*"))) == 2
    # Another sweep tries what has failed once more, and nothing else.
    again = partial(killed_at_two_bits, tmp_path, True)
    swept = sweep(THREE, tmp_path, runner=lambda tasks: run_local(tasks, 1, again))
    assert [row["status"] for row in swept.rows] == ["done"] * 3
    assert swept.skipped == 2


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codesign.sweep.cluster.CONNECT_SECONDS", 0.2)
    with pytest.raises(BadInput, match="tcp://127.0.0.1:9: no Dask scheduler answers"):
        next(run_on_cluster((), "tcp://127.0.0.1:9"))
