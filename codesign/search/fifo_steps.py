"""What FIFOs of some depth take up, and the depths at which that gets more: only they are worth trying."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from codesign.cost.family import load_family
from codesign.cost.fifo import KIND, fifo_cost, storage_bits
from codesign.cost.model import kind_model
from codesign.design import STYLE_LATENCY_CYCLES

# Where memories may get larger: each word at first, then each bank of LUT RAM (of registers, words
# by the bank), small ones first, then each block RAM, whose FIFO has a slot more.
WORDS, SMALL_BANKS, SMALL_BANK, BANKS, BANK, BLOCK = 32, 1024, 16, 8192, 64, 512
# Words in registers at most.
REGISTERS = 2
SLOWEST = max(STYLE_LATENCY_CYCLES.values())


class Fifo(NamedTuple):
    """One way of making a FIFO: bits of memory and counts (in the order of `Steps.kinds`)."""

    style: str
    depth: int
    bits: int
    counts: tuple[float, ...]

    @property
    def tokens(self) -> int:
        """Tokens that it holds beside the latency of its style."""
        return self.depth - STYLE_LATENCY_CYCLES[self.style]


@dataclass(frozen=True)
class Steps:
    """FIFOs on a device family, of least bits and priced counts together.

    `price` says what one of each count is worth in bits, `share` what it is of the budget: of equal
    FIFOs the one that takes the smaller shares.
    """

    family: str
    kinds: tuple[str, ...]
    price: tuple[float, ...]
    share: tuple[float, ...]

    def at(self, factor: float) -> Steps:
        """With prices so many times as high."""
        return replace(self, price=tuple(factor * p for p in self.price))

    def fifo(self, tokens: int, width_bits: int) -> Fifo:
        """The cheapest FIFO that holds `tokens` beside the latency of its style."""
        return _cheapest(self, tokens, width_bits, SLOWEST)

    def prompt(self, tokens: int, width_bits: int) -> Fifo:
        """The same among styles that add no latency."""
        return _cheapest(self, tokens, width_bits, 0)

    def holding(self, tokens: int, width_bits: int, most_latency_cycles: int) -> tuple[Fifo, ...]:
        """FIFOs of every style that hold `tokens` beside the latency of their style; least bits first."""
        fifos = [
            fifo
            for extra in range(most_latency_cycles + 1)
            for fifo in _sensible(self.family, self.kinds, tokens + extra, width_bits)
            if STYLE_LATENCY_CYCLES[fifo.style] == extra
        ]
        return tuple(sorted(fifos, key=lambda f: f.bits))

    def cost(self, fifo: Fifo) -> float:
        """Bits and priced counts."""
        return fifo.bits + sum(p * n for p, n in zip(self.price, fifo.counts, strict=True))

    def of_depth(self, depth: int, width_bits: int) -> tuple[Fifo, ...]:
        """FIFOs of `depth` slots, however slow, none of which another is never worse than."""
        return _undominated(self.family, self.kinds, depth, width_bits)

    def deepest(self, fifo: Fifo, width_bits: int) -> Fifo:
        """The deepest of this style, up to the next block RAM, that takes up no more."""
        return _deepest(self.family, self.kinds, fifo, width_bits)

    def top(self, tokens: int, width_bits: int) -> int:
        """The largest number of tokens, up to the next block RAM, that takes up as much."""
        last = (tokens // BLOCK + 1) * BLOCK
        cost = self._cost(tokens, width_bits)
        return max(
            (n for n in _grid(tokens, last) if self._cost(n, width_bits) <= cost), default=tokens
        )

    def levels(self, low: int, high: int, width_bits: int) -> tuple[int, ...]:
        """Tokens from `low` to `high`, ascending, each cheaper than any that is deeper."""
        return _levels(low, high, lambda n: self._cost(n, width_bits))

    def depths(self, low: int, high: int, width_bits: int) -> tuple[int, ...]:
        """Slots from `low` to `high`, ascending, each with fewer bits than any that is deeper."""
        return _levels(low, high, lambda n: _least_bits(self.family, n, width_bits))

    def _cost(self, tokens: int, width_bits: int) -> float:
        return self.cost(self.fifo(tokens, width_bits))


@lru_cache(maxsize=1 << 17)
def made(family: str, kinds: tuple[str, ...], style: str, depth: int, width_bits: int) -> Fifo:
    """A FIFO of `depth` slots."""
    counts = fifo_cost(family, depth, width_bits, style).flat()
    bits = storage_bits(family, depth, width_bits, style)
    return Fifo(style, depth, bits, tuple(counts.get(kind, 0.0) for kind in kinds))


@lru_cache(maxsize=1 << 17)
def _cheapest(steps: Steps, tokens: int, width_bits: int, most_latency_cycles: int) -> Fifo:
    fifos = steps.holding(tokens, width_bits, most_latency_cycles)
    return min(fifos, key=lambda f: (steps.cost(f), _dot(steps.share, f.counts)))


@lru_cache(maxsize=1 << 17)
def _deepest(family: str, kinds: tuple[str, ...], fifo: Fifo, width_bits: int) -> Fifo:
    last = (fifo.depth // BLOCK + 1) * BLOCK
    same = [made(family, kinds, fifo.style, n, width_bits) for n in _grid(fifo.depth, last)]
    fits = [f for f in same if f.bits <= fifo.bits and _within(f.counts, fifo.counts)]
    return max(fits, key=lambda f: f.depth, default=fifo)


@lru_cache(maxsize=1 << 17)
def _sensible(family: str, kinds: tuple[str, ...], depth: int, width_bits: int) -> tuple[Fifo, ...]:
    """FIFOs of every style; many words in registers only where the family has no LUT RAM.

    A flip-flop counts as one bit, its share of the multiplexer that reads it as none: else the
    deepest FIFO would be made of registers.
    """
    return tuple(made(family, kinds, style, depth, width_bits) for style in _likely(family, depth))


def _likely(family: str, depth: int) -> tuple[str, ...]:
    in_luts = depth > REGISTERS and bool(load_family(family).lutram)
    return tuple(style for style in _styles(family) if style != "register" or not in_luts)


@lru_cache(maxsize=1 << 17)
def _least_bits(family: str, depth: int, width_bits: int) -> int:
    return min(storage_bits(family, depth, width_bits, style) for style in _likely(family, depth))


@lru_cache(maxsize=1 << 17)
def _undominated(
    family: str, kinds: tuple[str, ...], depth: int, width_bits: int
) -> tuple[Fifo, ...]:
    kept: list[Fifo] = []
    for fifo in _sensible(family, kinds, depth, width_bits):
        if not any(_better(other, fifo) for other in kept):
            kept = [other for other in kept if not _better(fifo, other)] + [fifo]
    return tuple(kept)


def _styles(family: str) -> tuple[str, ...]:
    """hw/channel.sv has no shift registers: where counts are those of synthesis, there are none."""
    measured = kind_model(KIND, family) is not None
    return tuple(s for s in load_family(family).fifo_styles if not (measured and s == "srl"))


def _better(a: Fifo, b: Fifo) -> bool:
    return a.bits <= b.bits and _within(a.counts, b.counts)


def _within(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True))


def _dot(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _levels(low: int, high: int, measure: Callable[[int], float]) -> tuple[int, ...]:
    """Numbers from `low` to `high`, ascending, each of which measures less than any larger one.

    Where it measures the same at both ends of a stretch, as much is taken for granted between them.
    """
    found, least = [], None
    for tokens in reversed(list(_ends((low, *_grid(low + 1, high - 1), high), measure))):
        size = measure(tokens)
        if least is None or size < least:
            found.append(tokens)
            least = size
    return tuple(reversed(found))


def _ends(numbers: Sequence[int], measure: Callable[[int], float]) -> Iterator[int]:
    """The last number of each stretch of equal measure, and some others."""
    if len(numbers) == 1 or measure(numbers[0]) == measure(numbers[-1]):
        yield numbers[-1]
        return
    half = len(numbers) // 2
    yield from _ends(numbers[:half], measure)
    yield from _ends(numbers[half:], measure)


def _grid(low: int, high: int) -> list[int]:
    """Tokens from `low` to `high` behind which a memory may get larger."""
    words = range(1, WORDS + 1)
    small, large = range(WORDS, SMALL_BANKS, SMALL_BANK), range(SMALL_BANKS, BANKS + 1, BANK)
    blocks = range((low // BLOCK) * BLOCK, high + BLOCK, BLOCK)
    memories = *small, *large, *blocks
    grid = {*words, *memories, *(n - SLOWEST for n in memories)}
    return sorted(n for n in grid if low <= n <= high)
