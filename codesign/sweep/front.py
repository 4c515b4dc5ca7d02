"""The front of a sweep, and its plot."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from codesign.files import write_text_atomic
from codesign.sweep.table import Row
from codesign.sweep.words import widths

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
    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.add_subplot()
    boards = list(dict.fromkeys(row["board"] for row in best))
    for number, board in enumerate(boards):
        line = [row for row in best if row["board"] == board]
        (drawn,) = axes.step(*_places(line, what), where="post", label=board, lw=1.4)
        color = drawn.get_color()
        axes.scatter(*_places(_drawn(rows, board), what), s=18, color=color, alpha=0.35, lw=0)
        axes.scatter(*_places(line, what), s=24, color=color)
        for name, place in _labels(line, what):
            # The labels of every second board stand below its points, so that boards do not meet.
            offset, side = ((4, -4), "top") if number % 2 else ((-4, 4), "bottom")
            align = "left" if number % 2 else "right"
            style = {"fontsize": 7, "color": color, "ha": align, "va": side}
            axes.annotate(name, place, offset, textcoords="offset points", **style)
    _dress(axes, best, what, title)
    text = io.StringIO()
    figure.savefig(text, format="svg")
    write_text_atomic(folder / FILE_NAME, text.getvalue())
    return folder / FILE_NAME


def _labels(line: Sequence[Row], what: str) -> list[tuple[str, tuple[float, float]]]:
    """What tells the points of one board apart, and where they stand."""
    parts = [(Path(r["model"]).stem, widths(r), Path(r.get("folding", "")).stem) for r in line]
    telling = [k for k in range(3) if k == 1 or len({p[k] for p in parts}) > 1]
    names = [" ".join(filter(None, (p[k] for k in telling))) for p in parts]
    return list(zip(names, zip(*_places(line, what), strict=True), strict=True))


def _dress(axes: object, best: Sequence[Row], what: str, title: str) -> None:
    """Titles, scales with plain numbers, a grid and room for the labels at the edges."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

    axes.set(title=title, xlabel=f"LUT ({best[0]['resources_source']})", xscale="log")
    if what == "fps":
        sources = " or ".join(sorted({row["fps_source"] for row in best}))
        axes.set(ylabel=f"frames/s ({sources})", yscale="log")
    else:
        axes.set(ylabel="test accuracy (measured)")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    for axis in (axes.xaxis, axes.yaxis) if what == "fps" else (axes.xaxis,):
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.set_minor_formatter(NullFormatter())
    axes.margins(0.17)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="lower right")


def _places(rows: Sequence[Row], what: str) -> tuple[list[float], list[float]]:
    return [float(row["lut"]) for row in rows], [float(row[what]) for row in rows]
