"""The front of a sweep, and its plot."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from codesign.files import write_text_atomic
from codesign.sweep.table import Row

FILE_NAME = "pareto.svg"


def merit(rows: Sequence[Row]) -> str:
    """What is held against LUTs: the accuracy of trained networks, else frames per second."""
    return "test_accuracy" if any(row.get("test_accuracy") for row in rows) else "fps"


def front(rows: Sequence[Row]) -> list[Row]:
    """Of the points that fit, those of which no other of the same board has as few LUTs and more.

    From the fewest LUTs to the most, board by board.
    """
    what, found = merit(rows), []
    for board in sorted({row["board"] for row in rows}):
        best = float("-inf")
        for row in sorted(_drawn(rows, board), key=lambda r: (float(r["lut"]), -float(r[what]))):
            if float(row[what]) > best:
                best = float(row[what])
                found.append(row)
    return found


def _drawn(rows: Sequence[Row], board: str) -> list[Row]:
    what = merit(rows)
    mine = [row for row in rows if row["board"] == board and row.get("fits") == "True"]
    return [row for row in mine if row.get("lut") and row.get(what)]


def draw(rows: Sequence[Row], folder: Path, title: str) -> Path | None:
    """Write the plot to `folder`; None where no point fits."""
    from matplotlib.figure import Figure

    best, what = front(rows), merit(rows)
    if not best:
        return None
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for board in dict.fromkeys(row["board"] for row in best):
        line = [row for row in best if row["board"] == board]
        (drawn,) = axes.step(*_places(line, what), where="post", label=board)
        axes.scatter(*_places(_drawn(rows, board), what), s=18, color=drawn.get_color())
    for row in best:
        name = f"{row['model']} W{row['weight_bits'] or '-'}A{row['act_bits'] or '-'}"
        place = (float(row["lut"]), float(row[what]))
        axes.annotate(name, place, (3, 3), textcoords="offset points", fontsize=7)
    axes.set(title=title, xlabel=f"LUT ({best[0]['resources_source']})", xscale="log")
    sources = " or ".join(sorted({row["fps_source"] for row in best}))
    if what == "fps":
        axes.set(ylabel=f"frames/s ({sources})", yscale="log")
    else:
        axes.set(ylabel="test accuracy (measured)")
    axes.grid(alpha=0.3)
    axes.legend()
    text = io.StringIO()
    figure.savefig(text, format="svg")
    write_text_atomic(folder / FILE_NAME, text.getvalue())
    return folder / FILE_NAME


def _places(rows: Sequence[Row], what: str) -> tuple[list[float], list[float]]:
    return [float(row["lut"]) for row in rows], [float(row[what]) for row in rows]
