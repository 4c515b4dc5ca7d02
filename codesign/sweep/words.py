"""Rows of a sweep in words, the same on the command line and in the page."""

from __future__ import annotations

from collections.abc import Callable

from codesign.report.format import count, percent, rate
from codesign.sweep.table import Row

COLUMNS = (
    "Model",
    "Board",
    "Bits",
    "Layers",
    "Target",
    "Folding",
    "Seed",
    "State",
    "Frames/s",
    "LUT",
    "Accuracy",
)
# So many columns of words come first, then those of numbers.
WORDS = 8


def cells(row: Row) -> tuple[str, ...]:
    """One row in the order of COLUMNS; a dash for what it does not hold."""

    def shown(key: str, written: Callable[[float], str]) -> str:
        return written(float(row[key])) if row.get(key) else "–"

    state = {"True": "fits", "False": "does not fit"}.get(row.get("fits", ""), row["status"])
    return (
        *(row["model"], row["board"], widths(row), row["layer_weight_bits"] or "–"),
        *(shown("target_fps", rate), folding(row), row["seed"] or "–", state),
        *(shown("fps", rate), shown("lut", count), shown("test_accuracy", lambda x: percent(x, 2))),
    )


def widths(row: Row) -> str:
    """ "W4 A4", a dash for widths that stay as they are."""
    return f"W{row['weight_bits'] or '–'} A{row['act_bits'] or '–'}"


def folding(row: Row) -> str:
    """Where the folding comes from: its file, or the search with or without padding."""
    padded = "best, padded" if row.get("pad_channels") == "True" else "best"
    return row.get("folding") or padded


def failure(row: Row) -> str:
    """Why a point failed."""
    return f"failed: {row['model']} on {row['board']}: {row['error']}"
