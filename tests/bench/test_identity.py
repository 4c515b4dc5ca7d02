"""Scores belong to a recipe: another one is refused, an older file without its name is read."""

from __future__ import annotations

import msgspec
import pytest

from codesign.bench.frame import Bench, Context, Entry, Score
from codesign.bench.identity import essence, job_id
from codesign.bench.protocol import Job, change, scaled
from codesign.bench.run import run_bench
from codesign.errors import BadInput
from codesign.quant.config import QuantConfig
from codesign.recipe import TrainSpec


def test_only_what_is_no_default_counts():
    class Older(msgspec.Struct):
        bits: int
        lr: float = 0.1

    class Newer(Older):
        clip: float | None = None
        names: tuple[str, ...] = ()

    assert job_id(Older(3)) == job_id(Newer(3))
    assert job_id(Newer(3, clip=0.0)) != job_id(Newer(3))
    assert job_id(Newer(3, names=("a",))) != job_id(Newer(3))
    assert essence(TrainSpec(epochs=30, lr=0.05)) == {"epochs": 30, "lr": 0.05}


def test_jobs_differ_by_start_and_by_any_key():
    recipe = scaled(QuantConfig(3, 3))
    jobs = [
        Job(recipe),
        Job(recipe, from_float=True),
        Job(scaled(QuantConfig(3, 2))),
        Job(change(recipe, train=change(recipe.train, lr=0.051))),
    ]
    assert len({job_id(job) for job in jobs}) == len(jobs)
    assert job_id(Job(scaled(QuantConfig(3, 3)))) == job_id(jobs[0])


def table(job: object) -> Bench:
    def measure(entry: Entry, seed: int, context: Context) -> Score:
        return Score(seed, last=1.0, seconds=1.0)

    return Bench("t", "T", "P", "%", "%", 1, (Entry("a", None, job),), measure)


def test_a_score_of_another_recipe_is_refused_and_one_without_a_name_is_read(tmp_path):
    context = Context(tmp_path, line=lambda text: None)
    run_bench(table(scaled(QuantConfig(3, 3))), context)
    other = table(scaled(QuantConfig(4, 4)))
    with pytest.raises(BadInput, match="another recipe of this row"):
        run_bench(other, context)
    path = tmp_path / "a" / "seed0" / "score.json"
    kept = msgspec.json.decode(path.read_bytes())
    del kept["job"]
    path.write_bytes(msgspec.json.encode(kept))
    assert run_bench(other, context).rows[0].last == 1.0


def test_rows_of_one_job_are_measured_once(tmp_path):
    measured: list[str] = []

    def measure(entry: Entry, seed: int, context: Context) -> Score:
        measured.append(entry.name)
        return Score(seed, last=float(len(measured)), seconds=3600.0)

    job, other = scaled(QuantConfig(3, 3)), scaled(QuantConfig(4, 4))
    entries = (Entry("a", 1.0, job, "x"), Entry("b", 2.0, other, "x"), Entry("c", 1.0, job, "y"))
    found = run_bench(
        Bench("t", "T", "P", "%", "%", 2, entries, measure),
        Context(tmp_path, line=lambda text: None),
    )
    assert measured == ["a", "a", "b", "b"]
    assert found.rows[2].last == found.rows[0].last
    assert found.hours == 4.0
