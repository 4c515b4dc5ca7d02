"""Memories against data-sheet arithmetic, and the differences between families."""

import pytest

from codesign.cost.family import load_family
from codesign.errors import BadInput, InvariantBroken

XC7 = load_family("xc7")


@pytest.mark.parametrize(
    ("family", "kind", "depth", "width", "count"),
    [
        # UG473: 16Kx1, 8Kx2, 4Kx4, 2Kx9, 1Kx18 and 512x36 in one RAMB18.
        ("xc7", "BRAM18", 16384, 1, 1),
        ("xc7", "BRAM18", 512, 36, 1),
        ("xc7", "BRAM18", 513, 36, 2),
        ("xc7", "BRAM18", 512, 37, 2),
        ("xc7", "BRAM18", 1024, 20, 2),
        ("xc7", "BRAM18", 2048, 13, 2),
        ("xc7", "BRAM18", 16385, 1, 2),
        ("xc7", "BRAM18", 4096, 72, 16),
        # UG573: URAM288 is 4Kx72, nothing else.
        ("xcup", "URAM", 4096, 72, 1),
        ("xcup", "URAM", 4097, 73, 4),
        # FPGA-TN-02204 and FPGA-TN-02002.
        ("ecp5", "DP16KD", 1024, 18, 1),
        ("ice40", "EBR", 256, 16, 1),
        ("ice40", "EBR", 2048, 2, 1),
        ("ice40", "EBR", 300, 16, 2),
        ("ice40", "EBR", 784, 8, 2),
    ],
)
def test_block_ram_counts(family, kind, depth, width, count):
    assert load_family(family).ram(depth, width, kind).ram == {kind: count}


@pytest.mark.parametrize(
    ("depth", "width", "luts"),
    [
        (64, 8, 8),  # one LUT6 a bit
        (32, 8, 8),  # nothing is packed into O5 and O6
        (256, 8, 32),  # F7 and F8 join four LUTs
        (144, 8, 32),  # a full tree of multiplexers
        (512, 8, 72),  # eight LUTs a bit and one that selects
        (1, 100, 0),  # a constant
    ],
)
def test_lut_rom_of_7_series(depth, width, luts):
    assert XC7.rom(depth, width, "lut").lut == luts


@pytest.mark.parametrize(
    ("depth", "width", "luts"),
    [(32, 6, 4), (64, 3, 4), (32, 7, 8), (64, 1, 4), (32, 12, 8), (128, 3, 8 + 2 + 3)],
)
def test_lut_ram_of_7_series(depth, width, luts):
    assert XC7.ram(depth, width, "lut").lut == luts


@pytest.mark.parametrize(
    ("depth", "width", "luts"), [(16, 8, 4), (32, 8, 8), (128, 8, 32), (129, 8, 48)]
)
def test_shift_registers_of_7_series(depth, width, luts):
    assert XC7.ram(depth, width, "srl").lut == luts


@pytest.mark.parametrize(("inputs", "luts"), [(1, 0), (2, 1), (4, 1), (8, 2), (16, 4), (64, 17)])
def test_multiplexers_of_7_series(inputs, luts):
    assert XC7.mux(inputs) == luts


def test_a_multiplexer_of_luts_with_four_inputs_alone_is_a_binary_tree():
    assert [load_family("ice40").mux(n) for n in (2, 4, 8, 64)] == [1, 3, 7, 63]


@pytest.mark.parametrize(("family", "kind"), [("xcup", "URAM"), ("ice40", "SPRAM")])
def test_memory_without_initial_contents_holds_no_constants(family, kind):
    with pytest.raises(InvariantBroken, match=kind):
        load_family(family).rom(1024, 8, kind)


def test_single_port_memory_is_no_fifo():
    with pytest.raises(InvariantBroken, match="one port"):
        load_family("ice40").ram(1024, 16, "SPRAM")


def test_ice40_has_registers_where_others_have_lut_ram():
    ram = load_family("ice40").ram(16, 4, "lut")
    assert (ram.ff, ram.lutram) == (64, 0)
    assert load_family("ice40").fifo_styles == ("register", "block")


def test_ecp5_write_port_is_no_lut_ram():
    ram = load_family("ecp5").ram(16, 8, "lutram")
    assert (ram.lut, ram.lutram) == (12, 8)


@pytest.mark.parametrize(
    ("family", "a", "b", "holds"),
    [
        ("xc7", 25, 18, True),
        ("xc7", 18, 25, True),
        ("xc7", 19, 19, False),
        ("xcup", 27, 18, True),
        ("ice40", 17, 8, False),
    ],
)
def test_operands_of_one_dsp(family, a, b, holds):
    assert load_family(family).dsp_multiplies(a, b) is holds


@pytest.mark.parametrize(
    ("a", "b", "measured"),
    [(8, 3, 37), (4, 4, 26), (8, 4, 57), (5, 5, 42), (6, 6, 76), (8, 6, 94), (8, 8, 121)]
    + [(16, 4, 137), (2, 2, 4), (4, 3, 13), (3, 3, 8)],
)
def test_a_product_lies_near_synthesis(a, b, measured):
    """LUTs of hw/product_lut.sv alone, unsigned times signed, Yosys 0.59 for xc7."""
    assert XC7.lut_multiplier(a, b) == pytest.approx(measured, rel=0.26)
    assert XC7.lut_multiplier(b, a) == XC7.lut_multiplier(a, b)


def test_an_unknown_family_is_named_with_the_known_ones():
    with pytest.raises(BadInput, match="xc7"):
        load_family("xc9")


@pytest.mark.parametrize(
    ("depth", "width", "luts"), [(16, 8, 4), (16, 16, 8), (32, 64, 32), (64, 4, 4), (64, 8, 8)]
)
def test_a_lut_ram_with_one_address_holds_a_third_more(depth, width, luts):
    """RAM32M is 32 x 8 and RAM64M 64 x 4 where no LUT repeats the write address (UG474)."""
    found = XC7.ram(depth, width, one_address=True)
    assert (found.lutram, found.lut) == (luts, luts)
    assert XC7.ram(depth, width).lutram > luts
