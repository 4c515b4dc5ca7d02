"""What a design costs more, or less, when bit widths change and everything else stays."""

from __future__ import annotations

from collections.abc import Iterable

from codesign.blocks.base import Block
from codesign.board import Board
from codesign.cost.family import load_family
from codesign.cost.fifo import stream_cost
from codesign.cost.model import Widths, add_widths
from codesign.cost.parts import block_cost, block_widths, stream_widths
from codesign.cost.resources import Resources, total
from codesign.design import Design, Stream
from codesign.search.retyping import Bits, Retyper


class Around:
    """The estimate around `design`; a question costs only the parts that change."""

    def __init__(self, design: Design, board: Board) -> None:
        self.retyper = Retyper(design)
        self.family = load_family(board.family)
        self.blocks = {b.name: b for b in design.blocks}
        self.streams = {s.name: s for s in design.streams}

    def change(self, weight_bits: Bits, act_bits: Bits) -> Resources:
        """Resources with these widths minus those of the design, same folding and depths.

        `weight_bits` and `act_bits` as in `codesign.search.retyping.retype`.
        """
        return self.change_and_widths(weight_bits, act_bits)[0]

    def change_and_widths(
        self, weight_bits: Bits, act_bits: Bits
    ) -> tuple[Resources, dict[str, Widths]]:
        """The same change, and that of the half widths of 90 % intervals, added up by kind."""
        blocks, streams = self.retyper.changed(weight_bits, act_bits)
        after = self._cost(blocks.values(), streams.values())
        before = self._cost(map(self.blocks.get, blocks), map(self.streams.get, streams))
        changed: dict[str, Widths] = {}
        self._add_widths(changed, blocks.values(), streams.values(), 1)
        old_blocks, old_streams = map(self.blocks.get, blocks), map(self.streams.get, streams)
        self._add_widths(changed, old_blocks, old_streams, -1)
        return after + before.scaled(-1), changed

    def _cost(self, blocks: Iterable[Block], streams: Iterable[Stream]) -> Resources:
        parts = total(block_cost(block, self.family.name) for block in blocks)
        return parts + total(stream_cost(self.family, stream) for stream in streams)

    def _add_widths(
        self,
        found: dict[str, Widths],
        blocks: Iterable[Block],
        streams: Iterable[Stream],
        sign: int,
    ) -> None:
        for block in blocks:
            add_widths(found, *block_widths(block, self.family.name), sign)
        for stream in streams:
            add_widths(found, *stream_widths(stream, self.family), sign)
