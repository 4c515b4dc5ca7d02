"""The depths at which the memory of a FIFO gets larger: only they are worth trying."""

from __future__ import annotations

from dataclasses import dataclass

from codesign.cost.fifo import cheapest_style, storage_bits
from codesign.design import STYLE_LATENCY_CYCLES

# Where memories may get larger: each word at first, then each bank of LUT RAM (of registers, words
# by the bank), then each block RAM, whose FIFO has a slot more.
WORDS, BANKED, BANK, BLOCK = 32, 1024, 16, 512
SLOWEST = max(STYLE_LATENCY_CYCLES.values())


@dataclass(frozen=True)
class Steps:
    """What FIFOs take up on a device family, styles chosen by `price` (codesign.cost.fifo.prices)."""

    family: str
    price: tuple[tuple[str, float], ...]

    def fifo(self, tokens: int, width_bits: int) -> tuple[str, int]:
        """Style and depth of the cheapest FIFO that holds `tokens` beside the latency of its style."""
        return cheapest_style(self.family, tokens, width_bits, self.price, SLOWEST)

    def prompt(self, tokens: int, width_bits: int) -> tuple[str, int]:
        """The same among styles that add no latency."""
        return cheapest_style(self.family, tokens, width_bits, self.price)

    def bits(self, tokens: int, width_bits: int) -> int:
        """Bits of memory that this FIFO takes up."""
        style, depth = self.fifo(tokens, width_bits)
        return storage_bits(self.family, depth, width_bits, style)

    def top(self, tokens: int, width_bits: int) -> int:
        """The largest number of tokens, up to the next block RAM, that takes up as many bits."""
        bits = self.bits(tokens, width_bits)
        last = (tokens // BLOCK + 1) * BLOCK
        same = [n for n in _grid(tokens, last) if self.bits(n, width_bits) <= bits]
        return max(same, default=tokens)

    def levels(self, low: int, high: int, width_bits: int) -> tuple[int, ...]:
        """Tokens from `low` to `high`, ascending, each with fewer bits than any that is deeper."""
        found, least = [], None
        for tokens in reversed((low, *_grid(low + 1, high - 1), high)):
            bits = self.bits(tokens, width_bits)
            if least is None or bits < least:
                found.append(tokens)
                least = bits
        return tuple(reversed(found))


def _grid(low: int, high: int) -> list[int]:
    """Tokens from `low` to `high` behind which a memory may get larger."""
    words = range(1, WORDS + 1)
    banks = range(WORDS + BANK, BANKED + 1, BANK)
    blocks = range((low // BLOCK) * BLOCK, high + BLOCK, BLOCK)
    memories = *banks, *blocks
    grid = {*words, *memories, *(n - SLOWEST for n in memories)}
    return sorted(n for n in grid if low <= n <= high)
