"""Reads a FINN folding configuration onto one of our networks.

Entries stand in the file in the order of FINN's graph; they are aligned with ours at the products.
Between two products an entry belongs to the block of its kind, counted from behind: FINN pools without a
window of its own. What the file leaves open (thresholds inside a product, "auto") is chosen by the
search: the cheapest that is no slower than what the file says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from codesign.blocks.base import Block, Fold
from codesign.board import Board
from codesign.cost.family import load_family
from codesign.errors import BadInput, IllegalFold
from codesign.finn.layers import (
    ANCHORS,
    MEMORIES,
    MULTIPLIERS,
    Layer,
    is_plumbing,
    layer_named,
    layer_of,
)
from codesign.graph.ir import IntGraph
from codesign.search.elimination import Elimination
from codesign.search.joining import network_of
from codesign.search.options import vector
from codesign.search.problem import problem_of

DEFAULTS = "Defaults"
Attributes = Mapping[str, Any]


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
    entries = _entries(Path(path))
    matched, notes = _aligned(Path(path), entries, graph)
    found = Folding()
    for entry, (layer, block) in matched.items():
        knobs, remarks = _knobs(entry, entries[entry], layer, block, board)
        found.knobs[block.name] = knobs
        notes += remarks
        for key, depths in (("inFIFODepth", found.in_depths), ("outFIFODepth", found.out_depths)):
            given = _depths(entry, key, entries[entry], len(block.inputs()))
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


def _entries(path: Path) -> dict[str, Attributes]:
    """Entries by name, with the defaults that hold for them filled in."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})", path=str(path)) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: is not a JSON file ({error})", path=str(path)) from error
    if not isinstance(raw, dict) or not all(isinstance(v, dict) for v in raw.values()):
        raise BadInput(
            f"{path}: must map names of layers to their attributes, as FINN writes it",
            path=str(path),
        )
    defaults = raw.get(DEFAULTS, {})
    entries = {name: value for name, value in raw.items() if name != DEFAULTS}
    return {name: {**_defaults(path, defaults, name), **own} for name, own in entries.items()}


def _defaults(path: Path, defaults: Attributes, entry: str) -> dict[str, Any]:
    """Attributes given as [value, kinds of layer or "all"], several such pairs one behind the other."""
    found = {}
    for key, rule in defaults.items():
        if not isinstance(rule, list) or not rule or len(rule) % 2:
            raise BadInput(
                f"{path}: Defaults.{key} must be [value, layers], not {rule!r}", path=str(path)
            )
        for value, kinds in zip(rule[::2], rule[1::2], strict=True):
            kinds = [kinds] if isinstance(kinds, str) else kinds
            if any(kind == "all" or entry.startswith(str(kind)) for kind in kinds):
                found[key] = value
    return found


def _aligned(
    path: Path, entries: Mapping[str, Attributes], graph: IntGraph
) -> tuple[dict[str, tuple[Layer, Block]], list[str]]:
    """(layer, block) of each entry that has one, and a note on each other."""
    blocks = {node.block.name: node.block for node in graph.nodes}
    matched, notes, theirs = {}, [], []
    for entry in entries:
        layer = layer_named(entry)
        if entry in blocks and layer_of(blocks[entry]):
            matched[entry] = (layer_of(blocks[entry]), blocks[entry])
        elif layer is not None:
            theirs.append((entry, layer))
        elif not is_plumbing(entry):
            notes.append(f"{entry} has no block of its own here and was left out")
    if theirs:
        mine = [(b, layer) for b in blocks.values() if (layer := layer_of(b))]
        pairs = zip(_segments(theirs), _segments(mine), strict=False)
        _check_anchors(path, theirs, mine)
        for their_part, my_part in pairs:
            notes += _match(their_part, my_part, matched)
    return matched, notes


def _segments(items: list[tuple[Any, Layer]]) -> list[list[tuple[Any, Layer]]]:
    """The items in parts, each ending with a product."""
    parts: list[list[tuple[Any, Layer]]] = [[]]
    for item in items:
        parts[-1].append(item)
        if item[1].block in ANCHORS:
            parts.append([])
    return parts


def _check_anchors(
    path: Path, theirs: list[tuple[str, Layer]], mine: list[tuple[Block, Layer]]
) -> None:
    kinds = [[layer for _, layer in items if layer.block in ANCHORS] for items in (theirs, mine)]
    if kinds[0] == kinds[1]:
        return
    found, wanted = (" ".join(layer.names[0] for layer in side) or "none" for side in kinds)
    raise BadInput(
        f"{path}: its products must be those of the network in the same order ({wanted}), "
        f"not {found}; use the configuration of this network",
        path=str(path),
        found=found,
        expected=wanted,
    )


def _match(
    theirs: list[tuple[str, Layer]],
    mine: list[tuple[Block, Layer]],
    matched: dict[str, tuple[Layer, Block]],
) -> list[str]:
    """Pair each entry of a part with the block of its kind, from behind; notes on the rest."""
    notes, left = [], list(reversed(mine))
    for entry, layer in reversed(theirs):
        at = next((i for i, (_, other) in enumerate(left) if other == layer), None)
        if at is None:
            notes.append(f"{entry} has no block of its own here and was left out")
        else:
            matched[entry] = (layer, left.pop(at)[0])
    return notes


def _knobs(
    entry: str, attributes: Attributes, layer: Layer, block: Block, board: Board
) -> tuple[dict[str, Any], list[str]]:
    """Our knobs of one entry, and what could not be taken over."""
    knobs: dict[str, Any] = {}
    if layer.pe in attributes:
        knobs["pe"] = _count(entry, layer.pe, attributes[layer.pe])
    if layer.simd and "SIMD" in attributes:
        knobs["simd"] = _count(entry, "SIMD", attributes["SIMD"])
    if attributes.get("parallel_window"):
        kernel = block.kernel
        knobs |= {"pe": block.channels, "simd": kernel[0] * kernel[1]}
    _check(entry, block, knobs)
    notes = [f"{entry}: {text}" for text in _remarks(attributes)]
    memory = attributes.get("ram_style", "block" if attributes.get("depth_trigger_bram") else None)
    for key, word, words, knob in (
        ("ram_style", memory, MEMORIES, "memory"),
        ("resType", attributes.get("resType"), MULTIPLIERS, "multiplier"),
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


def _count(entry: str, key: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise BadInput(
        f"{entry}: {key} must be a whole number of at least 1, not {value!r}", found=value
    )


def _depths(entry: str, key: str, attributes: Attributes, ports: int) -> tuple[int, ...]:
    """Depths by port: a list under `key` + "s", or as FINN had it before one number for all."""
    single, value = attributes.get(key), attributes.get(f"{key}s")
    if value is None and single is not None:
        value = [single] * ports
    if value is None:
        return ()
    if isinstance(value, list) and all(type(v) is int and v >= 0 for v in value):
        return tuple(value)
    raise BadInput(f"{entry}: {key}s must be a list of whole numbers, not {value!r}", found=value)
