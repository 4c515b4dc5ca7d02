"""Reads a FINN folding configuration onto one of our networks.

Which entry belongs to which block says `codesign.finn.align`. What the file leaves open (thresholds
inside a product, "auto") is chosen by the search: the cheapest that is no slower than what the file says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from codesign.blocks.base import Block, Fold
from codesign.blocks.window import Window
from codesign.board import Board
from codesign.cost.family import load_family
from codesign.errors import BadInput, IllegalFold
from codesign.finn.align import aligned
from codesign.finn.entries import Attributes, count_of, depths_of, flag_of, read_entries, word_of
from codesign.finn.layers import MEMORIES, MULTIPLIERS, Layer
from codesign.graph.ir import IntGraph
from codesign.search.elimination import Elimination
from codesign.search.joining import network_of
from codesign.search.options import vector
from codesign.search.problem import problem_of


@dataclass(frozen=True)
class Folding:
    """What a file says of our blocks: knobs by block name, depths of its FIFOs, and remarks."""

    knobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    in_depths: dict[str, tuple[int, ...]] = field(default_factory=dict)
    out_depths: dict[str, tuple[int, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_folding(path: Path, graph: IntGraph, board: Board) -> Folding:
    """The folding configuration in the JSON file `path`, said of the blocks of `graph`.

    Raises BadInput for a file that is none, or whose products are not those of `graph`, and
    IllegalFold with FINN's and our name of the layer.
    """
    entries = read_entries(Path(path))
    matched, notes = aligned(Path(path), entries, graph)
    found = Folding()
    for entry, (layer, block) in matched.items():
        knobs, remarks = _knobs(entry, entries[entry], layer, block, board)
        found.knobs[block.name] = knobs
        notes += remarks
        for key, depths in (("inFIFODepth", found.in_depths), ("outFIFODepth", found.out_depths)):
            given = depths_of(entry, key, entries[entry], len(block.inputs()))
            if given:
                depths[block.name] = given
    if any(name.startswith("StreamingFIFO") and "depth" in e for name, e in entries.items()):
        notes.append(
            "depths of StreamingFIFO entries are left out: FIFOs are sized here, or have the "
            "inFIFODepths and outFIFODepths of the layers"
        )
    return Folding(found.knobs, found.in_depths, found.out_depths, tuple(notes))


def folds_of(folding: Folding, graph: IntGraph, board: Board) -> dict[str, Fold]:
    """A fold for every block: as the file says, the rest as cheap as its speed allows."""
    network = network_of(graph, board)
    kept, interval = [], 1
    for name, options in zip(network.names, network.options, strict=True):
        knobs = folding.knobs.get(name, {})
        lanes = {k: v for k, v in knobs.items() if k in ("pe", "simd")}
        same = [all(getattr(f, k) == v for k, v in lanes.items()) for f in options.folds]
        allowed = np.flatnonzero(same) if any(same) else np.arange(len(options.folds))
        kept.append(allowed)
        if lanes:
            interval = max(interval, int(options.intervals[allowed].min()))
    for i, options in enumerate(network.options):
        fastest = int(options.intervals[kept[i]].min())
        kept[i] = kept[i][options.intervals[kept[i]] <= max(interval, fastest)]
    budget = vector(board.budget(), network.device.kinds)
    problem = problem_of(network, kept)
    _, picks = Elimination(problem).minimum(1.0 / np.where(budget > 0, budget, 1.0))
    folds = network.folds(problem.choice(picks))
    return {
        name: msgspec.structs.replace(fold, **folding.knobs.get(name, {}))
        for name, fold in folds.items()
    }


def _knobs(
    entry: str, attributes: Attributes, layer: Layer, block: Block, board: Board
) -> tuple[dict[str, Any], list[str]]:
    """Our knobs of one entry, and what could not be taken over."""
    knobs: dict[str, Any] = {"pe": count_of(entry, layer.pe, attributes)}
    if layer.simd:
        knobs["simd"] = count_of(entry, "SIMD", attributes)
    knobs = {knob: value for knob, value in knobs.items() if value is not None}
    if flag_of(entry, "parallel_window", attributes):
        knobs |= _whole_window(entry, block)
    _check(entry, block, knobs)
    notes = [f"{entry}: {text}" for text in _remarks(attributes)]
    in_blocks = attributes.get("depth_trigger_bram")
    memory = word_of(entry, "ram_style", attributes) or ("block" if in_blocks else None)
    multiplier = word_of(entry, "resType", attributes)
    for key, word, words, knob in (
        ("ram_style", memory, MEMORIES, "memory"),
        ("resType", multiplier, MULTIPLIERS, "multiplier"),
    ):
        wanted = words.get(word)
        if wanted is None:
            continue
        legal = {getattr(fold, knob) for fold in block.folds_on(load_family(board.family))}
        if wanted in legal:
            knobs[knob] = wanted
        elif len(legal) > 1 or wanted not in ("lut",):
            notes.append(
                f"{entry}: {key} {word!r} is not offered for {block.name}; it is chosen "
                f"among {', '.join(sorted(legal))}"
            )
    return knobs, notes


def _whole_window(entry: str, block: Block) -> dict[str, int]:
    """All taps and channels at once, as FINN's parallel window has them."""
    if not isinstance(block, Window):
        raise BadInput(
            f"{entry}: parallel_window is an attribute of ConvolutionInputGenerator alone; "
            f"{block.name} is no window, leave it out there",
            block=block.name,
        )
    return {"pe": block.channels, "simd": block.kernel[0] * block.kernel[1]}


def _remarks(attributes: Attributes) -> list[str]:
    """What the file asks for and no block of ours does."""
    found = []
    if attributes.get("mem_mode") == "external":
        found.append("mem_mode 'external' is left out: weights are on the chip")
    if attributes.get("runtime_writeable_weights"):
        found.append(
            "runtime_writeable_weights is left out: weights are written at start-up at most"
        )
    return found


def _check(entry: str, block: Block, knobs: Mapping[str, int]) -> None:
    try:
        block.folded(msgspec.structs.replace(Fold(), **knobs))
    except IllegalFold as error:
        raise IllegalFold(
            f"{entry} of the folding file: {error.message}", **error.fields
        ) from error
