"""The colours of the report: readable on white, told apart without red and green alone."""

from __future__ import annotations

INK, SOFT, FAINT, GRID, PAPER = "#1b2430", "#566270", "#8a95a3", "#e3e7ec", "#ffffff"
BLUE, ORANGE, TEAL, RED, VIOLET, SLATE = (
    "#2f6fb2",
    "#d9822b",
    "#1f8a7d",
    "#b83232",
    "#7a5aa6",
    "#93a1b0",
)
SKY = "#4d9fd1"
SERIES = (BLUE, ORANGE, TEAL, VIOLET, "#a8763e", SKY, "#c2577e", "#6c8f2f")

KINDS = {
    "MatVec": BLUE,
    "Depthwise": BLUE,
    "Threshold": TEAL,
    "Requantise": TEAL,
    "Window": SKY,
    "Pad": SKY,
    "ZeroInsert": SKY,
    "MaxPool": VIOLET,
    "SumPool": VIOLET,
    "Add": RED,
    "Concat": RED,
    "Fork": SLATE,
    "WidthConverter": SLATE,
}
"""Colour of a block by what it does: multiply, quantise, window, pool, join, plumbing."""


def of_kind(kind: str) -> str:
    """Colour of a block of class `kind`."""
    return KINDS.get(kind, SLATE)


def mix(start: str, end: str, share: float) -> str:
    """The colour `share` (0..1) of the way from `start` to `end`."""
    share = min(1.0, max(0.0, share))
    pairs = [(int(start[i : i + 2], 16), int(end[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def heat(share: float) -> str:
    """Sequential scale from white to a blue on which black text is still readable (contrast > 4.5)."""
    return mix("#ffffff", "#8fbbe6", share)


def occupancy(share: float) -> str:
    """Sequential scale for cells without text: idle is almost white, busy is dark blue."""
    return mix("#eef2f6", "#174f8a", share)
