"""What one device family is made of, and what memories and arithmetic occupy on it.

One TOML file per family in `codesign/cost/families/`, with the data sheets it comes from.
All counts are analytic: memories by the device's own aspect ratios, arithmetic by the laws stated below.
"""

from __future__ import annotations

from functools import cache, lru_cache
from math import ceil
from pathlib import Path

import msgspec

from codesign.cost.block_ram import BlockRam, mapped
from codesign.cost.packing import cheapest_columns, words_a_row
from codesign.cost.resources import Resources
from codesign.errors import BadInput, InvariantBroken
from codesign.strict import load_toml, nearest

FAMILIES_DIR = Path(__file__).parent / "families"
# LUTs a bit that select one of 0, 1, 2, ... and, for each, of up to FEW_BANKS and of more; read off width
# converters and LUT RAMs of 2 to 32 banks.
SELECTORS = (0, 0, 1, 1, 1, 4, 2, 3.5, 3)
SELECTOR_SLOPES, FEW_BANKS = (0.4, 0.5), 16
# LUTs a bank of a write decoder: up to five banks one looks at enable and address, beyond it is shared.
DECODER_LUTS, SMALL_DECODER = 1.35, 5
# LUTs a bit that a table of more than two groups of such multiplexers takes to select each of them: read
# off random tables of 1024 to 8192 words (0.9 to 1.3), which are cut otherwise than into full groups.
GROUP_LUTS = 1.15


class LutRam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A LUT RAM with one write and one read port: `luts` in all, `memory_luts` count as LUTRAM."""

    name: str
    depth: int
    width_bits: int
    luts: int
    memory_luts: int


class Dsp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The multiplier of a DSP block: operand widths, both signed.

    Some can add before and behind the multiplication, and hold its factors and its result.
    """

    name: str
    a_bits: int
    b_bits: int
    adds_before: bool
    adds_behind: bool
    registers: bool


class Family(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A device family in the vendor's words; see the comments of its TOML file.

    `wide_mux_luts` LUTs are joined by dedicated multiplexers at no cost in LUTs; `srl_depth` is the
    length of the shift register in one LUT (0: there is none).
    """

    name: str
    title: str
    lut_inputs: int
    lut_outputs: int
    wide_mux_luts: int
    adder_bits_step: int
    srl_depth: int
    lutram: tuple[LutRam, ...]
    block: tuple[BlockRam, ...]
    block_ram: str
    dsp: Dsp
    source: str

    def kind(self, name: str) -> BlockRam:
        """The memory kind called `name`; raises InvariantBroken."""
        for kind in self.block:
            if kind.name == name:
                return kind
        known = ", ".join(k.name for k in self.block)
        raise InvariantBroken(f"{self.title}: memory is one of {known}, not {name!r}")

    @property
    def large(self) -> BlockRam | None:
        """The large RAM whose contents must be written at start-up; None where there is none."""
        return next((kind for kind in self.block if not kind.initialisable), None)

    @property
    def load_bits(self) -> int:
        """Bits of a transfer that fills the large RAM: its width; 0 where there is none."""
        return self.large.aspects[0][1] if self.large else 0

    @property
    def fifo_styles(self) -> tuple[str, ...]:
        """Styles of a RAM that this family has."""
        srl = ("srl",) if self.srl_depth else ()
        lutram = ("lutram",) if self.lutram else ()
        return ("register", *srl, *lutram, "block")

    def mux(self, inputs: float) -> float:
        """LUTs that select one of `inputs` bits.

        A LUT selects one of 4 (6 inputs) or of 2 (4 inputs); the dedicated multiplexers join
        `wide_mux_luts` of them, and further levels repeat the same.
        """
        ways = 4 if self.lut_inputs >= 6 else 2
        luts = 0.0
        while inputs > 1:
            leaves = ceil(inputs / ways)
            luts += leaves
            inputs = ceil(leaves / self.wide_mux_luts)
        return luts

    def selector(self, inputs: int) -> float:
        """LUTs that select one of `inputs` bits without the dedicated multiplexers, as synthesis
        does where the choice is a part of a vector or a bank of a memory: SELECTORS for LUTs of 6
        inputs, a tree for others."""
        if self.lut_inputs >= 6:
            if inputs < len(SELECTORS):
                return float(SELECTORS[inputs])
            return SELECTOR_SLOPES[inputs > FEW_BANKS] * inputs
        luts = 0
        while inputs > 1:
            inputs = ceil(inputs / 2)
            luts += inputs
        return float(luts)

    def rom(self, depth: int, width_bits: int, style: str = "lut") -> Resources:
        """A read-only memory of `depth` words, contents in the bitstream.

        `style` is "lut", "block" or the name of a memory kind. Raises InvariantBroken for a kind
        that the bitstream cannot initialise. One word is a constant and costs nothing.
        """
        if depth <= 1 or width_bits <= 0:
            return Resources()
        if style == "lut":
            return Resources(lut=self._lut_rom(depth, width_bits))
        kind = self.kind(self.block_ram if style == "block" else style)
        if not kind.initialisable:
            raise InvariantBroken(
                f"{self.title}: {kind.name} has no initial contents from the bitstream, so it "
                f"holds no constants; use {self.block_ram} or LUTs",
                kind=kind.name,
            )
        return self._blocks(kind, depth, width_bits, writes=False)

    def ram(
        self, depth: int, width_bits: int, style: str = "lut", one_address: bool = False
    ) -> Resources:
        """A memory of `depth` words with one write and one read port, contents not initialised.

        With `one_address` both ports always have the same: no LUT of a LUT RAM repeats an address.
        `style` is "register", "srl", "lut" or "lutram" (registers where the family has no LUT
        RAM), "block" or the name of a memory kind. Raises InvariantBroken for a style that the
        family lacks or a kind with one port.
        """
        if depth <= 0 or width_bits <= 0:
            return Resources()
        if style == "register" or (style in ("lut", "lutram") and not self.lutram):
            return Resources(lut=width_bits * self.mux(depth), ff=depth * width_bits)
        if style in ("lut", "lutram"):
            return _lutram(self, depth, width_bits, one_address)
        if style == "srl":
            return self._shift_register(depth, width_bits)
        kind = self.kind(self.block_ram if style == "block" else style)
        if kind.ports < 2:
            raise InvariantBroken(
                f"{self.title}: {kind.name} has one port and cannot read and write at once",
                kind=kind.name,
            )
        return self._blocks(kind, depth, width_bits, writes=True)

    def large_ram(self, depth: int, width_bits: int) -> Resources:
        """A memory of `depth` words in the large RAM, without what fills it (see `large`).

        Narrow words share a row, from which the read one is selected. Raises InvariantBroken for a family that has none.
        """
        if self.large is None:
            raise InvariantBroken(f"{self.title}: there is no large RAM besides {self.block_ram}")
        shared = words_a_row(depth, width_bits, self.load_bits)
        rows = self._columns(self.large, ceil(depth / shared), width_bits * shared)
        select = Resources(lut=width_bits * self.mux(shared), ff=(shared - 1).bit_length())
        return rows + select

    def dsp_multiplies(self, a_bits: int, b_bits: int) -> bool:
        """True when one DSP block holds a product of signed `a_bits` x `b_bits`."""
        low, high = sorted((a_bits, b_bits))
        return low <= min(self.dsp.a_bits, self.dsp.b_bits) and high <= max(
            self.dsp.a_bits, self.dsp.b_bits
        )

    def lut_multiplier(self, a_bits: int, b_bits: int) -> float:
        """LUTs of one product in logic, the sum behind it not counted.

        1 x 1 bit is an XNOR or AND; three of them share the two LUTs of a 3-to-2 counter. 1 x n
        negates or masks n bits. Otherwise a product of a and b <= a bits is b masked rows: each of
        the b - 1 rows added has a full adder of two LUTs for each of a bits, and the last carries
        run through a + b bits. This gives 32, 50, 72, 94 and 128 LUTs at 4x4, 5x5, 6x6, 8x6 and 8x8
        bits, where synthesis of hw/product_lut.sv (Yosys 0.59, xc7) took 26, 42, 76, 94 and 121; at
        16x4 it took 137 for 116, at 8x2 between 16 and 21 for 26. Small ones are a table of all their
        inputs for each bit: 4, 6 and 14 LUTs at 2x2, 3x3 and 4x3 bits, where it took 4, 8 and 13.
        """
        wide, narrow = max(a_bits, b_bits), min(a_bits, b_bits)
        if wide == 1:
            return 2 / 3
        if narrow == 1:
            return float(wide)
        rows = 2.0 * wide * (narrow - 1) + wide + narrow
        inputs = wide + narrow
        return min(rows, inputs * 2.0 ** max(0, inputs - self.lut_inputs))

    def adder(self, bits: int) -> float:
        """LUTs of one adder, subtracter or comparison of `bits` bits: one per carry position."""
        return float(ceil(bits / self.adder_bits_step) * self.adder_bits_step)

    def lutram_banks(self, depth: int) -> int:
        """Banks of a LUT RAM of `depth` words: one is as deep as its deepest primitive."""
        return ceil(depth / max((p.depth for p in self.lutram), default=depth))

    def _lut_rom(self, depth: int, width_bits: int) -> float:
        """LUTs of a table: a LUT a bit for 2^inputs words, in full binary trees up to what the
        dedicated multiplexers join, and multiplexers beyond (GROUP_LUTS).

        A LUT with two outputs could hold two bits of a short table; synthesis leaves that to the
        packer, so a bit counts as a LUT.
        """
        leaves = ceil(depth / (1 << self.lut_inputs))
        if leaves <= self.wide_mux_luts:
            return float(width_bits << (leaves - 1).bit_length())
        groups = ceil(leaves / self.wide_mux_luts)
        large = self.lut_inputs >= 6 and groups > 2
        return width_bits * (leaves + (GROUP_LUTS * groups if large else self.mux(groups)))

    def _shift_register(self, depth: int, width_bits: int) -> Resources:
        """Addressable shift registers; up to half the length two of them share a LUT."""
        if not self.srl_depth:
            raise InvariantBroken(f"{self.title}: there is no shift register in LUTs")
        if self.lut_outputs == 2 and depth <= self.srl_depth // 2:
            luts, mux = ceil(width_bits / 2), 0.0
        else:
            leaves = ceil(depth / self.srl_depth)
            luts = width_bits * leaves
            mux = width_bits * self.mux(ceil(leaves / self.wide_mux_luts))
        return Resources(lut=luts + mux, lutram=luts)

    def _blocks(self, kind: BlockRam, depth: int, width_bits: int, writes: bool) -> Resources:
        """Memories of `kind` as synthesis shapes them: banks with a selection on reading, which
        remembers the bank, and a write decoder."""
        if not kind.initialisable:
            return self._columns(kind, depth, width_bits)
        found = mapped(kind.sites, depth, width_bits, kind.write_bits if writes else 1)
        select = Resources()
        if found.banks > 1:
            luts = width_bits * self.selector(found.banks) + writes * found.banks
            select = Resources(lut=luts, ff=(found.banks - 1).bit_length())
        return select + Resources(ram={kind.name: found.count})

    def _columns(self, kind: BlockRam, depth: int, width_bits: int) -> Resources:
        """Memories of the one shape of `kind`, written column by column (hw/large_ram.sv)."""
        ((words, bits),) = kind.aspects
        banks = ceil(depth / words)
        count = banks * ceil(width_bits / bits)
        return Resources(lut=width_bits * self.mux(banks), ram={kind.name: count})


@cache
def load_family(name: str) -> Family:
    """Read the family `name` (the field `family` of a board); raises BadInput."""
    known = sorted(path.stem for path in FAMILIES_DIR.glob("*.toml"))
    if name not in known:
        raise BadInput(f"device family {name!r} is not known{nearest(name, known)}", known=known)
    return load_toml(FAMILIES_DIR / f"{name}.toml", Family)


@lru_cache(maxsize=65536)
def _lutram_counts(
    family_name: str, depth: int, width_bits: int, one_address: bool
) -> tuple[float, float]:
    """(LUTs, LUTs that serve as memory) of a LUT RAM, the cheapest mix of primitives.

    With one address the primitives of one bit, a LUT for each port, save nothing and are left out.
    More words than a primitive holds take several banks: a write decoder, and for each bit a
    selection on reading.
    """
    family = load_family(family_name)
    columns = tuple(
        (
            _width_bits(family, p) if one_address else p.width_bits,
            p.luts * ceil(depth / p.depth),
            p.memory_luts * ceil(depth / p.depth),
        )
        for p in family.lutram
        if p.width_bits > 1 or not one_address
    )
    luts, memory = cheapest_columns(columns, width_bits)
    banks = family.lutram_banks(depth)
    if banks == 1:
        return luts, memory
    decoder = banks * (DECODER_LUTS if banks > SMALL_DECODER else 1)
    return luts + decoder + width_bits * family.selector(banks), memory


def _width_bits(family: Family, primitive: LutRam) -> int:
    """Bits of a word where every LUT of the primitive holds data (UG474: RAM32M is 32 x 8 then)."""
    if family.lut_outputs == 1:
        return primitive.width_bits
    return primitive.memory_luts * min(
        family.lut_outputs, (1 << family.lut_inputs) // primitive.depth
    )


def _lutram(family: Family, depth: int, width_bits: int, one_address: bool) -> Resources:
    luts, memory = _lutram_counts(family.name, depth, width_bits, one_address)
    return Resources(lut=luts, lutram=memory)
