"""The data set: one CSV file per family and kind of block, one line per synthesised configuration."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import msgspec

from codesign.blocks import AnyBlock
from codesign.characterise.channel import Channel
from codesign.characterise.draws import Unit
from codesign.errors import BadInput
from codesign.files import write_text_atomic
from codesign.tools.cells import Counts
from codesign.tools.yosys import Synthesis

DATA = Path(__file__).parent.parent / "cost" / "data"
OK = "ok"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration and what synthesis made of it; the columns are described in README.md of
    the data set. Counts are 0 where `state` is not "ok"."""

    kind: str
    number: int
    family: str
    state: str
    pe: int = 1
    simd: int = 1
    multiplier: str = ""
    memory: str = ""
    in_bits: int = 0
    weight_bits: int = 0
    out_bits: int = 0
    lut: int = 0
    lut1: int = 0
    lut2: int = 0
    lut3: int = 0
    lut4: int = 0
    lut5: int = 0
    lut6: int = 0
    lutram: int = 0
    srl: int = 0
    carry: int = 0
    mux: int = 0
    ff: int = 0
    dsp: int = 0
    ram: str = ""
    logic_ps: int = 0
    seconds: float = 0.0
    tool: str = ""
    version: str = ""
    sources: str = ""
    unit: str = ""

    @property
    def rams(self) -> dict[str, int]:
        """Block memories by kind."""
        pairs = (word.split("=") for word in self.ram.split())
        return {kind: int(count) for kind, count in pairs}


COLUMNS = Row.__struct_fields__
AnyUnit = AnyBlock | Channel


def row_of(unit: Unit, number: int, family: str, sources: str, result: Synthesis | str) -> Row:
    """The row of `unit`; `result` is what synthesis gave, or the word for why it gave nothing."""
    facts = {
        "kind": type(unit).__name__,
        "number": number,
        "family": family,
        "sources": sources,
        "unit": msgspec.json.encode(unit).decode(),
        **_columns(unit),
    }
    if isinstance(result, str):
        return Row(state=result, **facts)
    return Row(
        state=OK,
        logic_ps=result.logic_ps or 0,
        seconds=result.seconds,
        tool=result.tool,
        version=result.version,
        **_counted(result.counts),
        **facts,
    )


def unit_of(row: Row) -> Unit:
    """The configuration of `row`; raises BadInput when its block has other fields by now."""
    try:
        return msgspec.json.decode(row.unit, type=AnyUnit)
    except msgspec.ValidationError as error:
        raise BadInput(
            f"data set, {row.family} {row.kind} {row.number}: the block has changed ({error}); "
            "run codesign characterise --refresh",
            kind=row.kind,
            number=row.number,
        ) from error


def read_rows(folder: Path, family: str, kind: str | None = None) -> tuple[Row, ...]:
    """All rows of `family` in `folder`, or those of one `kind`; a line that a killed run left torn
    is dropped."""
    files = sorted((folder / family).glob(f"{kind or '*'}.csv"))
    return tuple(row for path in files for row in _rows_in(path))


def add_rows(folder: Path, family: str, kind: str, rows: Iterable[Row]) -> None:
    """Add `rows` to the file of `family` and `kind`, in the place of those with the same number."""
    kept = {row.number: row for row in read_rows(folder, family, kind)}
    kept |= {row.number: row for row in rows}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for number in sorted(kept):
        writer.writerow(msgspec.structs.astuple(kept[number]))
    write_text_atomic(folder / family / f"{kind}.csv", out.getvalue())


def _rows_in(path: Path) -> Iterable[Row]:
    with path.open(newline="") as file:
        for values in csv.DictReader(file):
            try:
                yield msgspec.convert(values, Row, strict=False)
            except msgspec.ValidationError:
                continue


def _columns(unit: Unit) -> dict[str, object]:
    """Facts of a configuration that a reader of the table would sort by."""
    if isinstance(unit, Channel):
        return {"in_bits": unit.width_bits, "out_bits": unit.width_bits}
    fold, wtype = unit.fold, getattr(unit, "wtype", None)
    return {
        "pe": fold.pe,
        "simd": fold.simd,
        "multiplier": fold.multiplier,
        "memory": fold.memory,
        "in_bits": unit.inputs()[0].qtype.bits,
        "weight_bits": wtype.bits if wtype else 0,
        "out_bits": unit.outputs()[0].qtype.bits,
    }


def _counted(counts: Counts) -> dict[str, object]:
    """The columns of a netlist's counts."""
    by_size = {f"lut{size}": number for size, number in counts.lut_by_size.items()}
    plain = ("lut", "lutram", "srl", "carry", "mux", "ff", "dsp")
    ram = " ".join(f"{kind}={number}" for kind, number in sorted(counts.ram.items()))
    return {**by_size, **{name: getattr(counts, name) for name in plain}, "ram": ram}
