"""The per-bitwidth tables as coloured cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from codesign.report import format as fmt
from codesign.report.colours import heat
from codesign.report.data import BitwidthPart, BitwidthRow


class Cell(NamedTuple):
    """One coloured number with its 90 % interval; `mine` marks the present width of a layer."""

    text: str
    colour: str
    mine: bool = False
    bounds: str = ""


class UniformRow(NamedTuple):
    """The network at one width."""

    bits: int
    cells: list[Cell]
    fits: bool


class LayerRow(NamedTuple):
    """One layer at every width."""

    layer: str
    cells: list[Cell]


class LayerTable(NamedTuple):
    """One metric of all layers at every width."""

    title: str
    bits: list[int]
    rows: list[LayerRow]


class BitwidthTables(NamedTuple):
    """All tables of the section; `kinds` are the resource columns."""

    kinds: list[str]
    uniform: list[tuple[str, list[UniformRow]]]
    layers: list[LayerTable]


def bitwidth_tables(part: BitwidthPart | None) -> BitwidthTables | None:
    """The uniform table and one table per metric for the layers; None without data."""
    if part is None or not part.uniform:
        return None
    kinds = _kinds(part.uniform)
    layers = [_layers(part, kind) for kind in kinds] if part.layers else []
    tables = [("The design's own folding at every width", part.uniform)]
    if part.refolded:
        tables.append(("Folded anew at every width for the most frames per second", part.refolded))
    return BitwidthTables(kinds, [(t, _uniform(rows, kinds)) for t, rows in tables], layers)


def _uniform(rows: Sequence[BitwidthRow], kinds: list[str]) -> list[UniformRow]:
    columns = [_bounded(rows, k) for k in kinds]
    columns.append(_shades([r.fps for r in rows], fmt.rate))
    return [UniformRow(r.bits, [c[i] for c in columns], r.fits) for i, r in enumerate(rows)]


def _kinds(rows: Sequence[BitwidthRow]) -> list[str]:
    """Resources that some row uses, LUTRAM apart: it is part of LUT."""
    names = dict.fromkeys(k for row in rows for k in row.resources)
    return [k for k in names if k != "lutram" and any(row.resources.get(k) for row in rows)]


def _layers(part: BitwidthPart, metric: str) -> LayerTable:
    bits = [row.bits for row in part.layers[0].rows]
    rows = []
    for layer in part.layers:
        cells = _bounded(layer.rows, metric)
        mine = [
            c._replace(mine=r.bits == layer.present_bits)
            for c, r in zip(cells, layer.rows, strict=True)
        ]
        rows.append(LayerRow(layer.layer, mine))
    return LayerTable(f"{fmt.resource_name(metric)} of the design", bits, rows)


def _bounded(rows: Sequence[BitwidthRow], kind: str) -> list[Cell]:
    """Shaded cells of one resource, with intervals where it has been fitted."""
    cells = _shades([r.resources.get(kind, 0.0) for r in rows])
    return [
        cell._replace(bounds=fmt.bounds(row.low.get(kind), row.high.get(kind)))
        for cell, row in zip(cells, rows, strict=True)
    ]


def _shades(values: Sequence[float | None], written=fmt.count) -> list[Cell]:
    """Cells shaded from the smallest (white) to the largest value; no shade where all are equal."""
    known = [v for v in values if v is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    span = high - low or 1.0
    return [Cell(written(v), heat(0.0 if v is None else (v - low) / span)) for v in values]
