"""What a table of comparisons is made of: its rows, what was measured of them, and the verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean

import msgspec

from codesign.bench.verdict import Published, verdicts
from codesign.errors import BadInput
from codesign.intervals import half_interval


class Score(msgspec.Struct, frozen=True):
    """One row with one seed, smaller being better: after the last epoch, and at the best epoch.

    `best` is the test score of the epoch with the best validation accuracy (the same split for
    all), None where there are no epochs. A diverged run has the score of guessing.
    """

    seed: int
    last: float
    best: float | None = None
    diverged: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Entry:
    """A row to measure: its name, what was published for it, and `job`, what to run.

    Rows are compared within their `group`.
    """

    name: str
    published: float | None
    job: object
    group: str = ""


@dataclass(frozen=True)
class Context:
    """Where and how much: `part` < 1 shortens a protocol (images and epochs) for a trial.

    `device` is that of [train] in a recipe: "auto" takes a GPU where there is one.
    """

    folder: Path
    data_dir: Path | None = None
    part: float = 1.0
    device: str = "auto"
    line: Callable[[str], None] = print


Measure = Callable[[Entry, int, Context], Score]


@dataclass(frozen=True)
class Bench:
    """A table: its rows in the order of print, and how one is measured with one seed.

    `unit` belongs to our values, `published_unit` says on which network the published ones stand.
    `least_gap` is the published difference from which two rows have an order.
    """

    name: str
    title: str
    protocol: str
    unit: str
    published_unit: str
    seeds: int
    entries: tuple[Entry, ...]
    measure: Measure
    least_gap: float = 0.0

    def only(self, words: str) -> Bench:
        """The rows whose names hold `words`. Raises BadInput where none does."""
        chosen = tuple(entry for entry in self.entries if words in entry.name)
        if not chosen:
            names = "; ".join(entry.name for entry in self.entries)
            raise BadInput(f"no row of {self.name} has {words!r} in its name: {names}", found=words)
        title = f"{self.title} (rows with {words!r})" if words else self.title
        return replace(self, title=title, entries=chosen)


class Row(msgspec.Struct, frozen=True):
    """A measured row; intervals are half of the 95 % interval of the mean over seeds."""

    name: str
    published: float | None
    scores: tuple[Score, ...]
    last: float
    last_interval: float
    best: float | None
    best_interval: float
    verdict: str
    because: str


class Result(msgspec.Struct, frozen=True):
    """A whole table with where it comes from."""

    table: str
    title: str
    protocol: str
    unit: str
    published_unit: str
    rows: tuple[Row, ...]
    hours: float
    provenance: dict[str, object] = {}


def result(bench: Bench, scores: dict[str, tuple[Score, ...]], origin: dict) -> Result:
    """The table from the scores of every row, by name."""
    found = verdicts(
        {e.name: Published(e.group, e.published) for e in bench.entries},
        {name: [s.last for s in own] for name, own in scores.items()},
        bench.least_gap,
    )
    rows = tuple(_row(entry, scores[entry.name], *found[entry.name]) for entry in bench.entries)
    hours = sum(s.seconds for own in scores.values() for s in own) / 3600
    return Result(
        bench.name,
        bench.title,
        bench.protocol,
        bench.unit,
        bench.published_unit,
        rows,
        hours,
        origin,
    )


def _row(entry: Entry, scores: tuple[Score, ...], verdict: str, because: str) -> Row:
    last = [s.last for s in scores]
    best = [s.best for s in scores if s.best is not None]
    return Row(
        entry.name,
        entry.published,
        scores,
        mean(last),
        half_interval(last),
        mean(best) if best else None,
        half_interval(best) if best else 0.0,
        verdict,
        because,
    )
