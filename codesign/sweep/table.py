"""results.csv: one row for each finished point, whole after every one of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from codesign.errors import BadInput
from codesign.files import write_text_atomic

FILE_NAME = "results.csv"
# Columns that come first, in this order; those of a kind of point or family of devices follow.
FIRST = (
    *("id", "status", "kind", "model", "board", "weight_bits", "act_bits", "layer_weight_bits"),
    *(
        "target_fps",
        "folding",
        "pad_channels",
        "seed",
        "fits",
        "meets_target",
        "fps",
        "lut",
        "lutram",
        "ff",
        "dsp",
    ),
)
Row = dict[str, str]


class Results:
    """The table on disk: point -> row, in the order in which points were finished."""

    def __init__(self, folder: Path) -> None:
        """Read what `folder` holds already; raises BadInput for a file that is no such table."""
        self.path = Path(folder) / FILE_NAME
        self.rows: dict[str, Row] = {row["id"]: row for row in self._read()}

    def is_done(self, point_id: str) -> bool:
        """Whether the point has been finished; one that failed has not."""
        return self.rows.get(point_id, {}).get("status") == "done"

    def add(self, row: Mapping[str, object]) -> None:
        """Put one row into the table and write it, whole or not at all."""
        words = {key: "" if value is None else str(value) for key, value in row.items()}
        rows = {**self.rows, words["id"]: words}
        seen = dict.fromkeys([*FIRST, *(key for r in rows.values() for key in r)])
        text = io.StringIO()
        writer = csv.DictWriter(text, list(seen), restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())
        write_text_atomic(self.path, text.getvalue())
        self.rows = rows

    def _read(self) -> list[Row]:
        if not self.path.exists():
            return []
        try:
            with self.path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise BadInput(f"{self.path}: cannot be read ({error})", path=str(self.path)) from error
        if any(not row.get("id") or None in row or None in row.values() for row in rows):
            raise BadInput(
                f"{self.path}: is not the table of a sweep; choose another --out folder",
                path=str(self.path),
            )
        return rows
