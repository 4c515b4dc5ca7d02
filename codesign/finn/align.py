"""Which entry of a FINN file belongs to which of our blocks.

An entry named after a block belongs to it. All others stand in the order of FINN's graph; they are aligned
with ours at the products. Between two products an entry belongs to the block of its kind, counted from
behind: FINN pools without a window of its own. The file names no tensors, so that of products on branches
beside each other the order alone says which is which.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codesign.blocks.base import Block
from codesign.errors import BadInput
from codesign.finn.entries import Attributes
from codesign.finn.layers import ANCHORS, Layer, is_plumbing, layer_named, layer_of
from codesign.graph.ir import IntGraph


def aligned(
    path: Path, entries: Mapping[str, Attributes], graph: IntGraph
) -> tuple[dict[str, tuple[Layer, Block]], list[str]]:
    """(layer, block) of each entry that has one, and a note on each other.

    Raises BadInput where the products are not those of `graph`.
    """
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
        left = (b for b in blocks.values() if b.name not in matched)
        mine = [(b, layer) for b in left if (layer := layer_of(b))]
        pairs = zip(_segments(theirs), _segments(mine), strict=False)
        _check_anchors(path, theirs, mine)
        for their_part, my_part in pairs:
            notes += _match(their_part, my_part, matched)
        notes += _unordered(graph, [b for b, layer in mine if layer.block in ANCHORS])
    return matched, notes


def _unordered(graph: IntGraph, products: list[Block]) -> list[str]:
    """A note where products stand beside each other: the file does not say which comes first."""
    names, above = {block.name for block in products}, {graph.input_tensor: frozenset()}
    beside: set[str] = set()
    seen: list[str] = []
    for node in graph.nodes:
        name, before = node.block.name, frozenset().union(*(above[t] for t in node.inputs))
        if name in names:
            others = [other for other in seen if other not in before]
            beside.update(others and (*others, name))
            seen.append(name)
            before |= {name}
        above |= dict.fromkeys(node.outputs, before)
    which = ", ".join(name for name in seen if name in beside)
    note = (
        f"{which} lie on branches beside each other: their entries were taken in the order of the "
        "network here, which FINN's may differ from; entries named after these blocks are taken as named"
    )
    return [note] if beside else []


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
