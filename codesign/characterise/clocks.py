"""Drawn blocks placed and routed for ECP5: what clocks that are estimated from logic depth are held
against."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import msgspec

from codesign.characterise.rows import read_rows
from codesign.characterise.run import DSP, NO_DSP, item_of, sources_of
from codesign.cost.clock import WIRE_SHARE
from codesign.cost.family import load_family
from codesign.files import write_text_atomic
from codesign.tools.nextpnr import FAMILY, Routed, RoutingFailed, place_and_route
from codesign.tools.yosys import Job, SynthesisFailed

FILE = Path("clock") / f"{FAMILY}.csv"
# Yosys knows no delays of ECP5: the estimate takes the logic depth of the 7 series.
DEPTH_FAMILY = "xc7"


class ClockRow(msgspec.Struct, frozen=True):
    """A configuration on the device: the clock that nextpnr reaches and the wires of its slowest
    path; 0 where it failed. `logic_ps` is that of the same configuration on the 7 series, 0 where
    there is no such row."""

    kind: str
    number: int
    clock_hz: float
    wire_ps: int
    logic_ps: int
    seconds: float
    tool: str
    version: str

    @property
    def estimate_hz(self) -> float:
        """The clock by logic depth, as codesign/cost/clock.py says it; 0 where it is unknown."""
        return (1 - WIRE_SHARE) * 1e12 / self.logic_ps if self.logic_ps else 0.0


def measure_clocks(
    kinds: tuple[str, ...], rows: int, folder: Path, timeout_s: float
) -> Iterator[ClockRow]:
    """Place and route the first `rows` configurations of each of `kinds` that are not in `folder`
    yet; yields each when it is on disk. Raises ToolMissing, BadInput for a kind that does not exist."""
    known = {(row.kind, row.number): row for row in read_clocks(folder)}
    for number in range(rows):
        for kind in kinds:
            if (kind, number) not in known:
                known[kind, number] = _measured(kind, number, folder, timeout_s)
                _write(folder, known)
                yield known[kind, number]


def read_clocks(folder: Path) -> tuple[ClockRow, ...]:
    """The rows in `folder`; lines of another form are left out."""
    if not (folder / FILE).exists():
        return ()
    with (folder / FILE).open(newline="") as file:
        return tuple(msgspec.convert(line, ClockRow, strict=False) for line in csv.DictReader(file))


def _measured(kind: str, number: int, folder: Path, timeout_s: float) -> ClockRow:
    item = item_of(kind, number, load_family(FAMILY))
    options = (DSP if item.in_dsps else NO_DSP)[FAMILY]
    job = Job(sources_of(item, "unit"), "unit", FAMILY, options=options)
    try:
        found = place_and_route(job, timeout_s)
    except (RoutingFailed, SynthesisFailed):
        found = Routed("", "", 0.0, 0, 0.0)
    depths_ps = {r.number: r.logic_ps for r in read_rows(folder, DEPTH_FAMILY, kind)}
    measured = (float(round(found.clock_hz)), found.wire_ps, depths_ps.get(number, 0))
    return ClockRow(kind, number, *measured, found.seconds, found.tool, found.version)


def _write(folder: Path, rows: dict[tuple[str, int], ClockRow]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(ClockRow.__struct_fields__)
    writer.writerows(msgspec.structs.astuple(rows[key]) for key in sorted(rows))
    write_text_atomic(folder / FILE, out.getvalue())
