"""What would make a design fit: each lever is tried on the design, and its effect is computed."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from codesign.blocks.base import Block
from codesign.board import Board, all_boards
from codesign.cost.family import Family
from codesign.cost.parts import block_cost
from codesign.cost.resources import Resources
from codesign.cost.verdict import Verdict, word
from codesign.design import Design

MOST_LEVERS = 4
FOLD_MOVES = {
    "memory": "parameters of {block} in {there}",
    "multiplier": "multipliers of {block} in {there}",
}
PLACES = {"lut": "LUTs", "block": "block RAM", "dsp": "DSPs"}


def levers(design: Design, family: Family, board: Board, verdict: Verdict) -> tuple[str, ...]:
    """Sentences for the changes that shrink the gaps most, then the smallest board that would do.

    Every number is the estimate of the changed block under the design's own folding.
    """
    changes = sorted(
        (c for block in design.blocks for c in _changes(block, family, verdict)),
        key=lambda c: (-c[0], c[1]),
    )
    sentences = [text for _, text in changes[:MOST_LEVERS]]
    return (*sentences, *_larger_board(board, verdict))


def _changes(block: Block, family: Family, verdict: Verdict) -> Iterator[tuple[float, str]]:
    """(budgets' worth of gaps it closes, sentence) of each change of `block` that closes any."""
    now = block_cost(block, family.name)
    for other, text in (*_narrower(block), *_moved(block, family)):
        then = block_cost(other, family.name)
        closed, kind = _closed(now, then, verdict)
        if closed > 0:
            before, after = now.flat().get(kind, 0), then.flat().get(kind, 0)
            yield closed, f"{text}: {before:.0f} -> {after:.0f} {word(kind)}"


def _narrower(block: Block) -> Iterator[tuple[Block, str]]:
    """Weights at half their bits."""
    wtype = getattr(block, "wtype", None)
    if wtype is not None and wtype.bits > 1:
        bits = wtype.bits // 2
        yield block.reweighted(bits), f"weights of {block.name} at {bits} bits"


def _moved(block: Block, family: Family) -> Iterator[tuple[Block, str]]:
    """The same folding with memories or multipliers in other primitives."""
    legal, places = block.folds_on(family), PLACES
    if family.large:
        places = places | {"large": family.large.name}
    for knob, sentence in FOLD_MOVES.items():
        for place, place_name in places.items():
            fold = msgspec.structs.replace(block.fold, **{knob: place})
            if fold != block.fold and fold in legal:
                text = sentence.format(block=block.name, there=place_name)
                yield block.folded(fold), text


def _closed(now: Resources, then: Resources, verdict: Verdict) -> tuple[float, str]:
    """(budgets' worth of the overdrawn counts that go, the count of which most goes).

    Nothing goes when the change takes more of a count that fits than is left of it.
    """
    before, after = now.flat(), then.flat()
    gains = {
        kind: min(gap, before.get(kind, 0) - after.get(kind, 0)) / max(1, verdict.budget[kind])
        for kind, gap in verdict.gaps.items()
    }
    best = max(gains, key=gains.__getitem__)
    for kind, limit in verdict.budget.items():
        grown = after.get(kind, 0) - before.get(kind, 0)
        left = limit - verdict.demand.get(kind, 0)
        if kind not in verdict.gaps and grown > left:
            return 0.0, best
    return sum(gains.values()), best


def _larger_board(board: Board, verdict: Verdict) -> Iterator[str]:
    """The smallest known board of the same family whose budget holds the design as it is."""
    same = [b for b in all_boards() if b.family == board.family and b.name != board.name]
    holds = [b for b in same if not _lacks(verdict, b.budget())]
    if holds:
        smallest = min(holds, key=lambda b: (b.budget().lut, b.name))
        yield f"board {smallest.name} holds it as it is"


def _lacks(verdict: Verdict, budget: Resources) -> bool:
    limit = budget.flat()
    return any(count > limit.get(kind, 0) for kind, count in verdict.demand.items())
