"""Synthesising drawn configurations, several in one run of Yosys, and keeping what comes out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from codesign.blocks.base import Params
from codesign.characterise.channel import Channel
from codesign.characterise.draws import MAKERS, Unit, drawn
from codesign.characterise.rows import Row, add_rows, read_rows, row_of
from codesign.cost.family import Family, load_family
from codesign.errors import BadInput
from codesign.rtl.alone import port_widths, side_by_side, wrapped
from codesign.rtl.instance import Rtl
from codesign.strict import nearest
from codesign.tools.yosys import Job, Synthesis, SynthesisFailed, synthesise_parts

# Configurations in one run: more save time, and lose more when the run is killed.
BATCH = 16
# Options that keep products out of DSPs, or put them there.
NO_DSP = {"xc7": ("-nodsp",), "xcup": ("-nodsp",), "ecp5": ("-nodsp",), "ice40": ()}
DSP = {"xc7": (), "xcup": (), "ecp5": (), "ice40": ("-dsp",)}


@dataclass(frozen=True)
class Plan:
    """Which rows to make: the first `rows` of each of `kinds` on `family`.

    `refresh` makes those again whose sources have changed; `timeout_s` is for one configuration.
    """

    family: str
    kinds: tuple[str, ...]
    rows: int
    folder: Path
    refresh: bool = False
    timeout_s: float = 300
    native: bool = False


@dataclass(frozen=True)
class Item:
    """A configuration ready for synthesis."""

    kind: str
    number: int
    unit: Unit
    rtl: Rtl
    sources: str

    @property
    def in_dsps(self) -> bool:
        """True where its products shall go into DSPs."""
        return not isinstance(self.unit, Channel) and self.unit.fold.multiplier == "dsp"


def characterise(plan: Plan, jobs: int = 1) -> Iterator[tuple[Row, ...]]:
    """Make the rows of `plan` that are not there, `jobs` runs at a time; yields each batch when it
    is on disk. Raises BadInput for a kind that does not exist, and ToolMissing.
    """
    waiting = tuple(_batches(missing(plan)))
    with ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(_synthesised, batch, plan) for batch in waiting}
        try:
            for done in as_completed(running):
                rows = done.result()
                for kind in {row.kind for row in rows}:
                    add_rows(plan.folder, plan.family, kind, (r for r in rows if r.kind == kind))
                yield rows
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def missing(plan: Plan) -> list[Item]:
    """Rows of `plan` that are not in the data set, or whose sources have changed; the kinds take
    turns."""
    family = load_family(plan.family)
    turns = zip_longest(*(_missing(plan, kind, family) for kind in plan.kinds))
    return [item for turn in turns for item in turn if item is not None]


def item_of(kind: str, number: int, family: Family) -> Item:
    """Configuration `number` of `kind` for `family`; raises BadInput for a kind that does not exist."""
    _check_kind(kind)
    unit, params = drawn(kind, number)
    rtl = _instance(unit, params, family)
    return Item(kind, number, unit, rtl, _digest(wrapped(rtl, _widths(unit), "unit")))


def sources_of(item: Item, module: str) -> dict[str, str]:
    """Texts by file name of a `module` that holds `item` alone."""
    return wrapped(item.rtl, _widths(item.unit), module)


def _check_kind(kind: str) -> None:
    if kind not in MAKERS:
        raise BadInput(
            f"there is no kind of block {kind!r}{nearest(kind, list(MAKERS))}",
            found=kind,
            known=list(MAKERS),
        )


def _missing(plan: Plan, kind: str, family: Family) -> list[Item]:
    _check_kind(kind)
    there = {row.number: row.sources for row in read_rows(plan.folder, plan.family, kind)}
    numbers = [n for n in range(plan.rows) if plan.refresh or n not in there]
    items = [item_of(kind, number, family) for number in numbers]
    return [item for item in items if there.get(item.number) != item.sources]


def _digest(sources: Mapping[str, str]) -> str:
    """Hash of the hardware: instance, contents of memories, and its modules without comments."""
    digest = hashlib.sha256()
    for name, text in sorted(sources.items()):
        digest.update(f"{name} {' '.join(re.sub('//.*', '', text).split())}\n".encode())
    return digest.hexdigest()[:12]


def _instance(unit: Unit, params: Params, family: Family) -> Rtl:
    return unit.instance(family) if isinstance(unit, Channel) else unit.rtl(params, family)


def _batches(items: Sequence[Item]) -> Iterator[tuple[Item, ...]]:
    """Items that share the options of synthesis, BATCH at a time."""
    for in_dsps in (False, True):
        same = [item for item in items if item.in_dsps == in_dsps]
        for start in range(0, len(same), BATCH):
            yield tuple(same[start : start + BATCH])


def _synthesised(batch: Sequence[Item], plan: Plan) -> tuple[Row, ...]:
    """Rows of a batch; when its run fails, each of them alone, and the failures are recorded."""
    try:
        results = synthesise_parts(*_job(batch, plan), plan.timeout_s * len(batch))
    except SynthesisFailed as failure:
        if len(batch) > 1:
            return tuple(row for item in batch for row in _synthesised((item,), plan))
        results = [str(failure.fields["reason"])]
    return tuple(_row(item, plan, result) for item, result in zip(batch, results, strict=True))


def _row(item: Item, plan: Plan, result: Synthesis | str) -> Row:
    return row_of(item.unit, item.number, plan.family, item.sources, result)


def _job(batch: Sequence[Item], plan: Plan) -> tuple[Job, tuple[str, ...]]:
    """(job, names of its parts): the items side by side."""
    sources: dict[str, str] = {}
    widths = {}
    for item in batch:
        name = f"{item.kind}_{item.number}"
        widths[name] = _widths(item.unit)
        sources |= sources_of(item, name)
    sources["batch.sv"] = side_by_side("batch", widths)
    options = (DSP if batch[0].in_dsps else NO_DSP)[plan.family]
    return Job(sources, "batch", plan.family, options=options, native=plan.native), tuple(widths)


def _widths(unit: Unit) -> dict[str, int]:
    return unit.port_widths if isinstance(unit, Channel) else port_widths(unit)
