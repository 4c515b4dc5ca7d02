"""A sweep on a Dask cluster of one process here."""

from __future__ import annotations

from pathlib import Path

import pytest

from codesign.errors import BadInput
from codesign.sweep.cluster import run_on_cluster
from codesign.sweep.run import sweep
from codesign.sweep.spec import SweepSpec

distributed = pytest.importorskip("distributed")


@pytest.mark.filterwarnings("ignore")
def test_points_run_on_an_existing_cluster(tmp_path: Path) -> None:
    options = {"processes": False, "n_workers": 1, "dashboard_address": None}
    with distributed.LocalCluster(protocol="tcp", **options) as cluster:
        spec = SweepSpec(
            models=("cnv",),
            boards=("zcu104",),
            weight_bits=(1,),
            act_bits=(1,),
            layer_weight_bits={"nothing": (2,)},
        )
        swept = sweep(spec, tmp_path, scheduler=cluster.scheduler_address)
    assert [row["attempts"] for row in swept.failed] == ["2"]
    assert "'nothing' has no weights" in swept.failed[0]["error"]


@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codesign.sweep.cluster.CONNECT_SECONDS", 0.2)
    with pytest.raises(BadInput, match="tcp://127.0.0.1:9: no Dask scheduler answers"):
        next(run_on_cluster((), "tcp://127.0.0.1:9"))
