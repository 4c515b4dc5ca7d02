"""report.html of a sweep: its front and its table on one page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from codesign.files import write_text_atomic
from codesign.sweep.front import front, merit
from codesign.sweep.table import FILE_NAME as TABLE
from codesign.sweep.table import Row
from codesign.sweep.words import COLUMNS, WORDS, cells, failure

FILE_NAME = "report.html"
HERE = Path(__file__).parent
STYLE = HERE.parent / "report/style.css"


def write_page(rows: Sequence[Row], folder: Path, title: str, plot: Path | None) -> Path:
    """Write the page of all rows to `folder`, with the SVG in the file `plot`."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string((HERE / "report.html.jinja").read_text(encoding="utf-8"))
    text = template.render(
        title=title,
        style=STYLE.read_text(encoding="utf-8"),
        summary=_summary(rows),
        plot=_drawing(plot),
        caption=_caption(rows),
        columns=COLUMNS,
        words=WORDS,
        rows=[(cells(row), row.get("fits") == "True") for row in rows],
        failures=[failure(row) for row in rows if row["status"] == "failed"],
        origin=_origin(rows),
    )
    write_text_atomic(folder / FILE_NAME, text)
    return folder / FILE_NAME


def _drawing(plot: Path | None) -> str:
    """The SVG element without the head of its file."""
    if plot is None:
        return ""
    text = plot.read_text(encoding="utf-8")
    return text[text.index("<svg") :]


def _summary(rows: Sequence[Row]) -> str:
    fits = sum(row.get("fits") == "True" for row in rows)
    failed = sum(row["status"] == "failed" for row in rows)
    failures = f", {failed} failed" if failed else ""
    return f"{len(rows)} points: {fits} fit, {len(front(rows))} of them on the front{failures}."


def _caption(rows: Sequence[Row]) -> str:
    what = "test accuracy" if merit(rows) == "test_accuracy" else "frames per second"
    return (
        f"Each point that fits its board, {what} against LUTs. The line of a board joins those that "
        f"no other point of it beats; {TABLE} holds everything."
    )


def _origin(rows: Sequence[Row]) -> str:
    versions = sorted({row.get("codesign_version", "") for row in rows} - {""})
    commits = sorted({row.get("git_commit", "")[:12] for row in rows} - {""})
    return f"codesign {', '.join(versions) or '–'}, commit {', '.join(commits) or '–'}"
