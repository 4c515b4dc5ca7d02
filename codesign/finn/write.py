"""Writes a design's folding in the form that FINN reads.

FINN builds a window and a pool whose stride is the kernel as one layer, StreamingMaxPool: there the
window has no entry. Layer names count as FINN counts after it has specialised its layers (MVAU_rtl for
DSPs, MVAU_hls for LUTs); where FINN decides otherwise the names must be adapted.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from codesign.blocks.base import Block
from codesign.blocks.max_pool import MaxPool
from codesign.blocks.memories import BLOCK_WORDS
from codesign.blocks.quantiser import Quantiser
from codesign.blocks.window import Window
from codesign.design import Design
from codesign.files import write_text_atomic
from codesign.finn.layers import ANCHORS, MEMORIES, MULTIPLIERS, Layer, layer_of

RAM_STYLES = {ours: theirs for theirs, ours in MEMORIES.items()}
RES_TYPES = {ours: theirs for theirs, ours in MULTIPLIERS.items()}
STREAMING_POOL = "StreamingMaxPool_hls"
POOL = "Pool_hls"


def write_folding(design: Design, path: Path) -> None:
    """Write the folding of `design` to the JSON file `path`."""
    write_text_atomic(Path(path), json.dumps(folding_of(design), indent=2) + "\n")


def folding_of(design: Design) -> dict[str, dict[str, Any]]:
    """FINN's folding configuration of `design`; blocks that FINN has no layer for are left out."""
    counts: Counter[str] = Counter()
    entries: dict[str, dict[str, Any]] = {"Defaults": {}}
    for block in design.blocks:
        layer, kind = layer_of(block), _kind(block, design)
        if layer is None or kind is None:
            continue
        entries[f"{kind}_{counts[kind]}"] = _attributes(block, layer, design)
        counts[kind] += 1
    return entries


def _kind(block: Block, design: Design) -> str | None:
    """FINN's operator, or None for a window that is part of its pool."""
    layer = layer_of(block)
    if layer is None:
        return None
    if isinstance(block, Window) and _pool_behind(block, design):
        return None
    if isinstance(block, MaxPool):
        window = _window_before(block, design)
        return STREAMING_POOL if window and _pool_behind(window, design) else POOL
    backend = "rtl" if block.fold.multiplier == "dsp" else layer.backend
    return f"{layer.names[0]}_{backend}"


def _pool_behind(window: Window, design: Design) -> bool:
    """Whether a pool of the same stride and kernel is all that reads the window."""
    behind = _neighbours(design, f"{window.name}.out0", "source", "target")
    whole = window.kernel == window.stride
    return whole and all(isinstance(design.block(name), MaxPool) for name in behind)


def _window_before(pool: MaxPool, design: Design) -> Window | None:
    before = _neighbours(design, f"{pool.name}.in0", "target", "source")
    blocks = [design.block(name) for name in before]
    return next((b for b in blocks if isinstance(b, Window)), None)


def _neighbours(design: Design, end: str, here: str, there: str) -> list[str]:
    """Blocks at the other end of the stream at `end`, width converters skipped."""
    found = []
    for stream in design.streams:
        if getattr(stream, here) == end:
            name = getattr(stream, there).rpartition(".")[0]
            further = {"source": f"{name}.out0", "target": f"{name}.in0"}[here]
            plain = not name or layer_of(design.block(name)) is not None
            found += [name] if plain else _neighbours(design, further, here, there)
    return [name for name in found if name]


def _attributes(block: Block, layer: Layer, design: Design) -> dict[str, Any]:
    found: dict[str, Any] = {layer.pe: block.fold.pe}
    if isinstance(block, Window):
        found["parallel_window"] = int(block.fold.simd > 1)
    if layer.simd:
        found |= {"SIMD": block.fold.simd, "resType": RES_TYPES[block.fold.multiplier]}
    if isinstance(block, (*ANCHORS, Window)):
        found["ram_style"] = RAM_STYLES[block.fold.memory]
    if isinstance(block, Quantiser):
        # Thresholding_rtl has no ram_style: its tables go to block RAM from this depth on (0: never).
        found["depth_trigger_bram"] = BLOCK_WORDS if block.fold.memory == "block" else 0
    for key, side, ports in (
        ("inFIFODepths", "target", [f"in{i}" for i in range(len(block.inputs()))]),
        ("outFIFODepths", "source", [f"out{i}" for i in range(len(block.outputs()))]),
    ):
        depths = {getattr(s, side): s.depth for s in design.streams}
        found[key] = [depths[f"{block.name}.{port}"] for port in ports]
    return found
