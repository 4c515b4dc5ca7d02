"""`codesign calibrate` and `codesign model-report`: coefficients from the data set, and their errors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codesign.cli import show
from codesign.report.format import bounded

if TYPE_CHECKING:
    from codesign.characterise.assess import Line
    from codesign.characterise.networks import NetworkLine

Family = Annotated[str, typer.Option(help="Device family: xc7, xcup, ecp5 or ice40.")]
Data = Annotated[Path | None, typer.Option(help="Folder (default: the package's data).")]


def calibrate(family: Family = "xc7", data: Data = None) -> None:
    """Fit the cost models of a family to its data set; held-out rows are not read.

    Example: codesign calibrate --family xc7
    """
    from codesign.characterise.fit import fit
    from codesign.characterise.rows import DATA
    from codesign.cost.family import load_family

    load_family(family)
    model = fit(family, data or DATA)
    rows = [
        (kind, str(m.rows), *(f"{m.scales[c].median_error:.1%}" for c in ("lut", "ff")))
        for kind, m in model.kinds.items()
    ]
    columns = ("Block", "Rows", "LUT error", "FF error")
    caption = "Errors: median, of rows predicted from a fit without them (cross-validation)."
    show.print_table(f"Models of {family}, from {model.tool}", columns, rows, caption)


def model_report(
    family: Annotated[str, typer.Option(help="One family (default: all with coefficients).")] = "",
    data: Data = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    figures: Annotated[
        Path | None, typer.Option(help="Folder for figures of predicted against measured (SVG).")
    ] = None,
) -> None:
    """Errors of the cost models on configurations that no fit has seen.

    Example: codesign model-report --family xc7
    """
    from codesign.characterise.assess import assess
    from codesign.characterise.rows import DATA
    from codesign.cost.family import load_family
    from codesign.cost.model import COEFFICIENTS

    if family:
        load_family(family)
    known = sorted(path.stem for path in COEFFICIENTS.glob("*.json"))
    found = [assess(name, data or DATA) for name in ([family] if family else known)]
    if figures is not None:
        _draw(figures, [report.family for report in found], data or DATA)
    if json:
        show.print_json(found)
        return
    for report in found:
        _print_lines(f"{report.family}: held-out rows", report.by_reason)
        _print_lines(f"{report.family}: held-out rows by block", report.by_kind)
        if report.networks:
            _print_networks(report.family, report.networks)
        unfitted = ", ".join(report.unfitted) or "none"
        show.print_line(f"Failed rows: {report.failed}. Without coefficients: {unfitted}.")
    if not found:
        show.print_line("No family has coefficients: codesign calibrate makes them.")


def _draw(folder: Path, families: list[str], data: Path) -> None:
    """One figure a family, cost-<family>.svg."""
    from codesign.characterise.assess import verdicts
    from codesign.characterise.scatter import write_scatter

    folder.mkdir(parents=True, exist_ok=True)
    for family in families:
        write_scatter(folder / f"cost-{family}.svg", verdicts(family, data))


def _print_lines(title: str, lines: tuple[Line, ...]) -> None:
    columns = ("", "Rows", "As designed")
    columns += ("LUT median", "LUT 90 %", "LUT inside", "FF median", "FF 90 %", "FF inside")
    columns += ("RAM exact", "DSP exact")
    rows = [
        (line.title, str(line.rows), str(line.as_designed), *(_percent(v) for v in _figures(line)))
        for line in lines
    ]
    caption = (
        "Errors: |predicted - measured| / measured. Inside: share of rows within the 90 % interval. "
        "RAM, DSP: share of rows with the very count. As designed: memories are where the folding "
        "has them; LUT and FF are of these rows."
    )
    show.print_table(title, columns, rows, caption)


def _print_networks(family: str, lines: tuple[NetworkLine, ...]) -> None:
    columns = ("Network", "Tool", "LUT", "predicted", "error", "FF", "predicted", "error")
    columns += ("RAM", "predicted", "DSP", "predicted")
    rows = [
        (line.name, line.tool, *_fitted(line, "lut"), *_fitted(line, "ff"))
        + tuple(
            f"{found[c]:.0f}" for c in ("ram", "dsp") for found in (line.measured, line.predicted)
        )
        for line in lines
    ]
    caption = "Whole designs, flat or by module, against the sum of predictions; in brackets 90 %."
    show.print_table(f"{family}: networks that no fit has seen", columns, rows, caption, left=2)


def _fitted(line: NetworkLine, count: str) -> tuple[str, str, str]:
    measured, predicted = line.measured[count], line.predicted[count]
    within = bounded(predicted, line.low[count], line.high[count])
    return f"{measured:.0f}", within, f"{predicted / measured - 1:+.1%}"


def _figures(line: Line) -> tuple[float | None, ...]:
    lut = (line.lut_median, line.lut_p90, line.lut_inside)
    return (*lut, line.ff_median, line.ff_p90, line.ff_inside, line.ram_exact, line.dsp_exact)


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
