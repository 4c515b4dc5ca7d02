"""Block RAMs of one memory: in which shape, how many, and how many banks are selected from.

The law is that of Yosys' memory_libmap (passes/memory/memory_libmap.cc of YosysHQ/yosys), with
the prices of its libraries: words beyond a RAM's depth go into further banks, and the banks of one row lie side
by side in as many RAMs as their bits take.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import ceil
from typing import NamedTuple

import msgspec

# Price of each further input of a read multiplexer, and of each output of a write decoder.
SELECTION = 0.5

# (words, width in bits) of a shape.
Aspect = tuple[int, int]


class Site(NamedTuple):
    """A block RAM, or neighbours joined as one: it counts as `count`, and has a `price`."""

    count: int
    price: float
    aspects: tuple[Aspect, ...]


class Pair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two neighbours of a memory kind as one, with aspect ratios and a price of their own."""

    aspects: tuple[Aspect, ...]
    price: float


class BlockRam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A memory kind: (depth, width in bits) of each aspect ratio; `ports` read or write at once.

    `initialisable` says whether the bitstream can set its contents; `price` is what synthesis weighs
    it with (SELECTION is that of a multiplexer), and `write_bits` share a write enable.
    """

    name: str
    aspects: tuple[Aspect, ...]
    initialisable: bool
    ports: int
    price: float = 128
    write_bits: int = 1
    pair: Pair | None = None

    @property
    def sites(self) -> tuple[Site, ...]:
        """What a memory can be made of."""
        alone = Site(1, self.price, self.aspects)
        return (alone, Site(2, self.pair.price, self.pair.aspects)) if self.pair else (alone,)


class Mapping(NamedTuple):
    """`count` block RAMs in `banks` from which words are selected."""

    count: int
    banks: int


@lru_cache(maxsize=65536)
def mapped(sites: tuple[Site, ...], depth: int, width_bits: int, write_bits: int = 1) -> Mapping:
    """The cheapest of all sites and shapes for `depth` words; with `write_bits` over 1 the bits of a
    word are written in groups of so many, which RAMs do not part."""
    return min(_options(sites, depth, width_bits, write_bits))[1]


def _options(
    sites: tuple[Site, ...], depth: int, width_bits: int, write_bits: int
) -> Iterator[tuple[tuple[float, int], Mapping]]:
    for number, site in enumerate(sites):
        for words, bits in site.aspects:
            banks, group = ceil(depth / words), min(write_bits, bits)
            row_bits = banks * ceil(width_bits / group) * group
            rams = ceil(row_bits / bits)
            decoder = banks if write_bits > 1 and banks > 1 else 0
            price = site.price * rams + SELECTION * ((banks - 1) * width_bits + decoder)
            yield (price, number), Mapping(site.count * rams, banks)
