"""What is kept of a plan: design, parameters, report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from codesign.api.common import BoardLike, board
from codesign.api.planning import estimate, simulate
from codesign.design import load_design, save_design
from codesign.errors import BadInput

if TYPE_CHECKING:
    from codesign.report.data import ReportData
    from codesign.search.plan import Plan
    from codesign.search.whatif import BitwidthTable
    from codesign.sim.simulate import Simulation


def save(
    plan: Plan,
    folder: str | Path,
    params: Mapping[str, np.ndarray],
    on: BoardLike | None = None,
    simulation: Simulation | None = None,
    bitwidths: BitwidthTable | None = None,
) -> Path:
    """Write design.json, params.npz, report.json and report.html to `folder`; return the last.

    `params` are the graph's (`graph.params`). The report tells versions, commit and command.
    """
    from codesign.report.data import save_report_data
    from codesign.report.render import write_report

    save_design(plan.design, params, Path(folder))
    data = report_data(plan, on, simulation, bitwidths)
    save_report_data(data, Path(folder))
    return write_report(data, Path(folder))


def report_data(
    plan: Plan,
    on: BoardLike | None = None,
    simulation: Simulation | None = None,
    bitwidths: BitwidthTable | None = None,
) -> ReportData:
    """All numbers of a plan as one frozen, JSON-serialisable record, with versions and command."""
    from codesign.provenance import provenance
    from codesign.report.convert import design_report, provenance_part, shortfall

    chosen, origin = board(on or plan.design.board), provenance()
    data = design_report(plan.design, chosen, plan.estimate, simulation, bitwidths)
    words = {"shortfall": shortfall(plan), "proof": plan.proven}
    return msgspec.structs.replace(
        data,
        verdict=msgspec.structs.replace(data.verdict, **words),
        command=str(origin["command"]),
        provenance=provenance_part(origin),
    )


def report(folder: str | Path) -> Path:
    """Draw report.html of a run folder, or of a folder that holds a design only; return its path.

    Raises BadInput when the folder holds neither.
    """
    from codesign.report.data import FILE_NAME, load_report_data
    from codesign.report.render import write_report

    folder = Path(folder)
    known = (folder / FILE_NAME).exists()
    data = load_report_data(folder) if known else _report_of_design(folder)
    return write_report(data, folder)


def _report_of_design(folder: Path) -> ReportData:
    if not (folder / "design.json").exists():
        raise BadInput(
            f"{folder}: holds neither report.json nor design.json; give the folder that "
            "`codesign run` or `codesign estimate --out` wrote",
            path=str(folder),
        )
    plan = estimate(load_design(folder))
    return report_data(plan, simulation=simulate(plan.design))
