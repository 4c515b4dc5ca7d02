"""A sweep from its first point to its plot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from codesign.provenance import provenance
from codesign.sweep.cluster import run_on_cluster
from codesign.sweep.front import draw
from codesign.sweep.local import run_local
from codesign.sweep.page import write_page
from codesign.sweep.points import points_of
from codesign.sweep.spec import SweepSpec
from codesign.sweep.table import Results, Row
from codesign.sweep.work import Outcome, Task

ATTEMPTS = 2
Runner = Callable[[Sequence[Task]], Iterator[tuple[Task, Outcome]]]
Track = Callable[[Iterable[object], str, int], Iterator]


@dataclass(frozen=True)
class Swept:
    """Rows of all points of the sweep, how many of them were there before, plot and report."""

    rows: tuple[Row, ...]
    skipped: int
    plot: Path | None
    page: Path

    @property
    def failed(self) -> tuple[Row, ...]:
        """Rows of the points that failed twice."""
        return tuple(row for row in self.rows if row["status"] == "failed")


def sweep(
    spec: SweepSpec,
    out: Path,
    workers: int | None = None,
    scheduler: str | None = None,
    track: Track = lambda items, label, total: iter(items),
    runner: Runner | None = None,
) -> Swept:
    """Do the points that results.csv in `out` does not hold yet; each adds its row when finished.

    On `workers` processes of this machine, or on the Dask cluster of `scheduler`; `runner` replaces
    both. A point that fails, or whose worker dies, is done once more at the end, then recorded as
    failed; the next sweep tries it again. Raises BadInput before any point is run.
    """
    out = Path(out).resolve()
    points = {point.id: point for point in points_of(spec)}
    results = Results(out)
    todo = [Task(p, str(out / "points" / i)) for i, p in points.items() if not results.is_done(i)]
    origin = _origin() if todo else {}
    skipped, run = len(points) - len(todo), runner or _runner(workers, scheduler)
    for attempt in range(1, ATTEMPTS + 1):
        label = "points" if attempt == 1 else "points that failed, once more"
        again = []
        for task, outcome in track(run(todo) if todo else (), label, len(todo)):
            if outcome.error and attempt < ATTEMPTS:
                again.append(task)
            else:
                results.add(_row(task, outcome, attempt, origin))
        todo = again
    rows = tuple(results.rows[i] for i in points)
    title = spec.title or "Sweep"
    plot = draw(rows, out, title)
    return Swept(rows, skipped, plot, write_page(rows, out, title, plot))


def _runner(workers: int | None, scheduler: str | None) -> Runner:
    if scheduler is None:
        return lambda tasks: run_local(tasks, workers)
    return lambda tasks: run_on_cluster(tasks, scheduler)


def _row(task: Task, outcome: Outcome, attempt: int, origin: dict) -> dict[str, object]:
    return {
        **task.point.columns,
        **outcome.columns,
        "status": "failed" if outcome.error else "done",
        "error": outcome.error,
        "attempts": attempt,
        "finished_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        **origin,
    }


def _origin() -> dict[str, object]:
    """Versions and commit of the codesign that hands out the points."""
    facts = provenance()
    git = facts["git"] or {"commit": None, "dirty": None}
    versions = {f"{name}_version": version for name, version in facts["versions"].items()}
    return {"git_commit": git["commit"], "git_dirty": git["dirty"], **versions}
