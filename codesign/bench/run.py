"""Run a table row by row and seed by seed; what is done stays done."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import msgspec

from codesign.bench.frame import Bench, Context, Entry, Result, Row, Score, result
from codesign.bench.identity import job_id
from codesign.errors import BadInput
from codesign.files import write_bytes_atomic, write_text_atomic
from codesign.provenance import provenance


def run_bench(bench: Bench, context: Context, seeds: int | None = None) -> Result:
    """Measure every row with seeds 0, 1, ..; scores lie in context.folder as JSON, one a run.

    Scores that are there are read, so that the same command goes on after a stop; those of another
    protocol or of another recipe of the row are refused. Rows of one job are measured once. Writes
    <table>.json and <table>.md. Raises BadInput and what a run raises.
    """
    count = bench.seeds if seeds is None else seeds
    if count < 1:
        raise BadInput(f"a table needs at least 1 seed, found {count}", found=count)
    scores = {entry.name: _scores(bench, entry, count, context) for entry in bench.entries}
    protocol = bench.protocol if context.part == 1 else _trial(bench.protocol, context.part)
    table = result(replace(bench, protocol=protocol), scores, provenance())
    text = msgspec.json.format(msgspec.json.encode(table), indent=2)
    write_bytes_atomic(context.folder / f"{bench.name}.json", text + b"\n")
    write_text_atomic(context.folder / f"{bench.name}.md", markdown(table))
    return table


def _trial(protocol: str, part: float) -> str:
    return f"A TRIAL with {part:g} of the images and epochs of this protocol: {protocol}"


def _scores(bench: Bench, entry: Entry, count: int, context: Context) -> tuple[Score, ...]:
    return tuple(_score(bench, entry, seed, context) for seed in range(count))


class Kept(msgspec.Struct):
    """A score on disk with the protocol and the job of the row it belongs to.

    Scores that were written before jobs were kept have none, and are taken as they are.
    """

    protocol: str
    part: float
    score: Score
    job: str = ""


def _score(bench: Bench, entry: Entry, seed: int, context: Context) -> Score:
    own = replace(context, folder=context.folder / slug(entry.name) / f"seed{seed}")
    path = own.folder / "score.json"
    if path.exists():
        return _read(path, bench.protocol, context.part, job_id(entry.job))
    first = next(e for e in bench.entries if job_id(e.job) == job_id(entry.job))
    if first.name != entry.name:
        return msgspec.structs.replace(_score(bench, first, seed, context), seconds=0.0)
    began = time.perf_counter()
    score = bench.measure(entry, seed, own)
    seconds = score.seconds or round(time.perf_counter() - began, 3)
    score = msgspec.structs.replace(score, seconds=seconds)
    kept = Kept(bench.protocol, context.part, score, job_id(entry.job))
    write_bytes_atomic(path, msgspec.json.encode(kept))
    context.line(f"{bench.name}: {entry.name}, seed {seed}: {score.last:.4g} {bench.unit}")
    return score


def _read(path: Path, protocol: str, part: float, job: str) -> Score:
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Kept)
    except (OSError, msgspec.DecodeError) as error:
        raise BadInput(f"{path}: is no score ({error}); remove it", path=str(path)) from error
    if (kept.protocol, kept.part) != (protocol, part):
        raise BadInput(
            f"{path}: was measured under another protocol; choose another --out or remove it",
            path=str(path),
        )
    if kept.job not in ("", job):
        raise BadInput(
            f"{path}: was measured with another recipe of this row; choose another --out or remove "
            "it",
            path=str(path),
        )
    return kept.score


def slug(name: str) -> str:
    """A folder's name for a row."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-")


def markdown(table: Result) -> str:
    """The table for docs/results."""
    lines = [f"**{table.title}**", "", f"{table.protocol}.", ""]
    head = ("row", f"ours: {table.unit}", "at best validation", table.published_unit, "verdict")
    lines += [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| {' | '.join(cells(row))} |" for row in table.rows]
    runs = sum(len(row.scores) for row in table.rows)
    return "\n".join([*lines, "", f"{runs} runs, {table.hours:.2f} h of run time.", ""])


def cells(row: Row) -> tuple[str, ...]:
    """A row in words."""
    diverged = sum(s.diverged for s in row.scores)
    note = f" ({diverged} of {len(row.scores)} diverged)" if diverged else ""
    best = "–" if row.best is None else _spread(row.best, row.best_interval, row)
    published = "–" if row.published is None else f"{row.published:g}"
    because = f" ({row.because})" if row.because else ""
    last = f"{_spread(row.last, row.last_interval, row)}{note}"
    return row.name, last, best, published, row.verdict + because


def _spread(value: float, interval: float, row: Row) -> str:
    """A value with its interval, which one seed does not have."""
    return f"{value:.4g} ± {interval:.2g}" if len(row.scores) > 1 else f"{value:.4g} (one seed)"
