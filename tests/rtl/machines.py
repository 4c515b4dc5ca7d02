"""Designs small enough to be compiled in a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codesign.board import load_board
from codesign.design import Design, save_design
from codesign.lowering import assemble
from tests import small_graphs

BOARD = load_board("pynq-z2")


def tiny() -> tuple[Design, dict[str, np.ndarray]]:
    """Two dense layers with thresholds between them, one element at a time; logits."""
    sketch = small_graphs.Sketch("tiny", (6,), small_graphs.QType(8, False))
    hidden = sketch.act("act0", sketch.dense("fc0", "x", 4, 6), 4)
    graph = sketch.graph(sketch.dense("fc1", hidden, 3, 4), (3,))
    return assemble(graph, {}, BOARD), graph.params


def saved(folder: Path, design: Design, params: dict[str, np.ndarray]) -> Path:
    """The design on disk, as `codesign build` and `codesign verify` read it."""
    save_design(design, params, folder)
    return folder
