"""LUTs of one product in logic, as synthesis was seen to make it.

hw/product_lut.sv was synthesised for every pair of some widths (`codesign characterise
--products`); the tables lie in `codesign/cost/products/`, one a family. A mapper that must keep paths
short spends LUTs on it, so a product takes more where its first factor comes out of a multiplexer.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from codesign.errors import BadInput

PRODUCTS = Path(__file__).parent / "products"


class Grid(msgspec.Struct, frozen=True):
    """LUTs of a * b: row i, column j for a of `widths[i]` and b of `widths[j]` bits; b is signed, a
    `unsigned` or `signed`."""

    widths: tuple[int, ...]
    unsigned: tuple[tuple[float, ...], ...]
    signed: tuple[tuple[float, ...], ...]

    def at(self, a_bits: int, a_signed: bool, b_bits: int) -> float:
        """LUTs of a product: bilinear between the widths of the table, in proportion beyond."""
        rows, most = self.signed if a_signed else self.unsigned, self.widths[-1]
        scale = max(1.0, a_bits / most) * max(1.0, b_bits / most)
        i, down = self._place(min(a_bits, most))
        j, along = self._place(min(b_bits, most))
        upper, lower = (r[j] + along * (r[j + 1] - r[j]) for r in rows[i : i + 2])
        return scale * (upper + down * (lower - upper))

    def _place(self, bits: int) -> tuple[int, float]:
        """Index of the width below `bits`, and how far it is to the next one."""
        i = min(max(0, bisect_right(self.widths, bits) - 1), len(self.widths) - 2)
        return i, (bits - self.widths[i]) / (self.widths[i + 1] - self.widths[i])


class ProductTable(msgspec.Struct, frozen=True):
    """Products between registers (`alone`), and with a out of a 2-to-1 multiplexer (`chosen`)."""

    family: str
    tool: str
    alone: Grid
    chosen: Grid


@cache
def load_products(family: str) -> ProductTable | None:
    """The table of `family`; None where products have not been measured. Raises BadInput."""
    path = PRODUCTS / f"{family}.json"
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=ProductTable)
    except msgspec.DecodeError as error:
        raise BadInput(
            f"{path}: not a table of products ({error}); codesign characterise --products "
            f"--family {family} writes it",
            path=str(path),
        ) from error


@lru_cache(maxsize=4096)
def measured_luts(
    family: str, a: tuple[int, bool], b: tuple[int, bool], chosen: bool = False
) -> float | None:
    """LUTs of a product of factors of (bits, signed), a out of a multiplexer where it is `chosen`;
    None where `family` has no table. Of two unsigned factors one counts as signed."""
    table = load_products(family)
    if table is None:
        return None
    if a[1] and not b[1]:
        a, b = b, a
    return (table.chosen if chosen else table.alone).at(*a, b[0])
