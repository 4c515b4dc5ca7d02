"""The figures of the report, one file each; `FIGURES` is the one list, in reading order."""

from codesign.report.figures import (
    budget,
    network,
    resources,
    stages,
    timeline,
    training,
    widths,
)
from codesign.report.figures.base import NARROW, WIDE, Figure

FIGURES: tuple[Figure, ...] = (
    budget.FIGURE,
    network.FIGURE,
    resources.FIGURE,
    widths.FIGURE,
    training.FIGURE,
    stages.FIGURE,
    timeline.FIGURE,
)

__all__ = ["FIGURES", "NARROW", "WIDE", "Figure"]
