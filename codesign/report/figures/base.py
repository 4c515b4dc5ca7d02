"""What a figure is, and the panels that several figures are laid out in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from codesign.report.data import ReportData
from codesign.report.svg import element

WIDE, NARROW = 960, 346
"""Widths in pixels that every figure is drawn in; the style sheet shows one of the two."""


class Figure(NamedTuple):
    """One figure: `draw(data, width)` gives its SVG, or None when the data is not there."""

    name: str
    title: str
    caption: str
    draw: Callable[[ReportData, int], str | None]


class Panel(NamedTuple):
    """A part of a figure: SVG drawn from (0, 0) downwards, `height` pixels tall."""

    svg: str
    height: float


def columns_of(width: int) -> int:
    """How many panels stand side by side."""
    return 1 if width < 600 else 2


def panel_width(width: int, gutter: float = 44) -> float:
    """Width of one panel."""
    columns = columns_of(width)
    return (width - (columns - 1) * gutter) / columns


def tiled(panels: Sequence[Panel], width: int, gutter: float = 44) -> tuple[str, float]:
    """Panels put below and beside each other, the next always into the shortest column."""
    heights = [0.0] * columns_of(width)
    step = panel_width(width, gutter) + gutter
    placed = []
    for panel in panels:
        column = heights.index(min(heights))
        placed.append(
            element(
                "g", panel.svg, transform=f"translate({column * step:.1f} {heights[column]:.1f})"
            )
        )
        heights[column] += panel.height + 22
    return "".join(placed), max(heights) - 22


def layer_order(blocks: Sequence[str], name: str) -> int:
    """Position of `name` in `blocks`; unknown names come last."""
    return blocks.index(name) if name in blocks else len(blocks)
