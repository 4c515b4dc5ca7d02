"""From the data of a report to one self-contained HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from codesign.files import write_text_atomic
from codesign.report import format as fmt
from codesign.report.data import HostPart, ReportData
from codesign.report.figures import FIGURES, NARROW, WIDE, Figure
from codesign.report.heat import bitwidth_tables

HERE = Path(__file__).parent
STAGES = {
    "float": "Float network",
    "torch": "Quantised network (PyTorch)",
    "qonnx": "Exported QONNX file",
    "integer": "Integer graph, as the hardware computes",
}


class Drawn(NamedTuple):
    """A figure in its two widths."""

    name: str
    title: str
    caption: str
    wide: str
    narrow: str


class Tile(NamedTuple):
    """One of the large numbers at the top."""

    label: str
    value: str
    source: str


def render(data: ReportData) -> str:
    """The report as HTML text; parts that are not in `data` are left out."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals |= {
        name: getattr(fmt, name)
        for name in ("bounded", "count", "megahertz", "resource_name", "shape")
    }
    return (
        environment.get_template("template.html.jinja")
        .render(
            d=data,
            style=(HERE / "style.css").read_text(encoding="utf-8"),
            figures={f.name: drawn for f in FIGURES if (drawn := _drawn(f, data))},
            tiles=tiles(data),
            bits=bitwidth_tables(data.bitwidths),
            kinds=[kind for kind, used in data.total.items() if used > 0],
            stages=STAGES,
            affine=affine,
        )
        .lstrip()
    )


def write_report(data: ReportData, folder: Path) -> Path:
    """Write report.html to `folder`, whole or not at all, and return its path."""
    path = Path(folder) / "report.html"
    write_text_atomic(path, render(data))
    return path


def _drawn(figure: Figure, data: ReportData) -> Drawn | None:
    wide, narrow = figure.draw(data, WIDE), figure.draw(data, NARROW)
    if wide is None or narrow is None:
        return None
    return Drawn(figure.name, figure.title, figure.caption, wide, narrow)


def tiles(data: ReportData) -> list[Tile]:
    """The headline numbers that are known, each with its source."""
    found = []
    if data.fps:
        found.append(Tile("Frames per second", fmt.rate(data.fps.value), data.fps.source))
    if data.latency_s:
        latency = data.latency_s
        found.append(Tile("Latency of a frame", fmt.seconds(latency.value), latency.source))
    if data.startup:
        words = f"{fmt.count(data.startup.cycles)} cycles ({data.startup.source})"
        found.append(
            Tile("Loading before the first frame", fmt.seconds(data.startup.seconds), words)
        )
    if data.accuracies:
        last = data.accuracies[-1]
        where = f"measured on {fmt.count(last.frames)} {last.split} frames"
        found.append(Tile("Accuracy", fmt.percent(last.value, 2), where))
    scarce = _scarcest(data)
    if scarce:
        kind, share = scarce
        label = f"Of the {fmt.resource_name(kind)} budget"
        found.append(Tile(label, fmt.percent(share), data.resources_source))
    return found


def _scarcest(data: ReportData) -> tuple[str, float] | None:
    budget = data.board.budget if data.board else {}
    shares = {k: used / budget[k] for k, used in data.total.items() if budget.get(k)}
    return max(shares.items(), key=lambda pair: pair[1]) if shares else None


def affine(end: HostPart) -> str:
    """What an integer q of this end stands for, in words: "the real value q × 0.00392157 − 1"."""
    if end.scale == 1 and not end.offset:
        return "itself"
    scaled = "the real value q" + ("" if end.scale == 1 else f" × {end.scale:.8g}")
    if not end.offset:
        return scaled
    return f"{scaled} {'+' if end.offset > 0 else '−'} {abs(end.offset):.8g}"
