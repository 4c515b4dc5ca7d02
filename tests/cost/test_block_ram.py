"""Block RAMs against what Yosys 0.59 made of hw/rom.sv and hw/ram.sv alone (xc7)."""

import pytest

from codesign.cost.family import load_family

XC7 = load_family("xc7")


@pytest.mark.parametrize(
    ("depth", "width", "halves", "luts"),
    [
        (3584, 28, 6, 84),  # 7 banks of 512 words side by side in three RAMB36
        (3584, 27, 6, 0),  # 4096 x 9
        (3584, 14, 3, 42),
        (3072, 28, 5, 28),  # 3 banks of 1024
        (4096, 28, 7, 0),
        (2048, 28, 4, 0),
        (2560, 28, 4, 112),
        (7168, 28, 11, 84),
    ],
)
def test_a_rom_lies_in_banks_side_by_side(depth, width, halves, luts):
    found = XC7.rom(depth, width, "block")
    assert found.ram == {"BRAM18": halves}
    assert found.lut == pytest.approx(luts, rel=0.2)


@pytest.mark.parametrize(
    ("depth", "width", "halves", "luts", "flip_flops"),
    [
        (3584, 28, 7, 0, 0),  # groups of 9 bits are written together
        (1200, 100, 9, 103, 2),
        (1100, 36, 3, 39, 2),
        (4100, 8, 3, 11, 2),
        (2000, 19, 3, 0, 0),
        (5000, 10, 5, 0, 0),
    ],
)
def test_a_ram_writes_whole_groups(depth, width, halves, luts, flip_flops):
    found = XC7.ram(depth, width, "block")
    assert (found.ram, found.lut, found.ff) == ({"BRAM18": halves}, luts, flip_flops)
