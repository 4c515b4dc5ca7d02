"""Boards against published figures, and every kind of mistake in a board file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from codesign.board import all_boards, board_names, load_board
from codesign.cost.resources import Resources
from codesign.errors import BadInput
from codesign.files import package_data

# (LUT, FF, DSP, BRAM36, URAM) of the product tables DS190, DS180, DS891, DS987 and DS962.
AMD_TABLES = {
    "pynq-z1": (53_200, 106_400, 220, 140, 0),
    "pynq-z2": (53_200, 106_400, 220, 140, 0),
    "arty-a7-35t": (20_800, 41_600, 90, 50, 0),
    "arty-a7-100t": (63_400, 126_800, 240, 135, 0),
    "ultra96-v2": (70_560, 141_120, 360, 216, 0),
    "zcu104": (230_400, 460_800, 1_728, 312, 96),
    "kv260": (117_120, 234_240, 1_248, 144, 64),
    "u250": (1_728_000, 3_456_000, 12_288, 2_688, 1_280),
}
# Distributed RAM of the same tables, in units of 2^20 bits; a LUT holds 64 bits.
DISTRIBUTED_RAM_MBIT = {"ultra96-v2": 1.8, "zcu104": 6.2, "kv260": 3.5, "u250": 48.3}


@pytest.mark.parametrize("name", AMD_TABLES)
def test_amd_boards_hold_what_the_product_table_says(name: str) -> None:
    r = load_board(name).resources
    found = (r.lut, r.ff, r.dsp, r.ram["BRAM18"] / 2, r.ram.get("URAM", 0))
    assert found == AMD_TABLES[name]
    # A 6-input LUT comes with two flip-flops in both families.
    assert r.ff == 2 * r.lut


@pytest.mark.parametrize("name", DISTRIBUTED_RAM_MBIT)
def test_lutram_is_the_distributed_ram_of_the_data_sheet(name: str) -> None:
    mbit = load_board(name).resources.lutram * 64 / 2**20
    assert round(mbit, 1) == DISTRIBUTED_RAM_MBIT[name]


def test_lattice_boards_hold_what_the_data_sheet_says() -> None:
    ecp5, ice40 = load_board("ulx3s-85f").resources, load_board("icebreaker").resources
    assert round(ecp5.lut / 1000) == 84 and ecp5.dsp == 156
    assert ecp5.ram["DP16KD"] * 18 == 3_744  # kbit of embedded memory, FPGA-DS-02012
    assert ecp5.lutram * 16 // 1000 == 669  # kbit of distributed memory
    assert (ice40.lut, ice40.dsp, ice40.lutram) == (5_280, 8, 0)
    assert ice40.ram["EBR"] * 4 == 120 and ice40.ram["SPRAM"] * 256 == 1_024  # FPGA-DS-02008


def test_every_board_is_named_after_its_file_and_cites_a_source() -> None:
    assert [board.name for board in all_boards()] == board_names()
    assert len(board_names()) == 10
    for board in all_boards():
        assert "Resources: " in board.source and "Memory: " in board.source
        assert 10e6 <= board.clock_hz <= 300e6


def test_budget_is_the_usable_part_rounded_down() -> None:
    budget = load_board("pynq-z2").budget()
    assert budget == Resources(37_240, 8_700, 53_200, 176, {"BRAM18": 224})
    assert not budget.fits(budget.scaled(0.999)) and budget.fits(budget)


def test_share_scales_every_count_and_leaves_clock_and_memory() -> None:
    whole = load_board("arty-a7-35t")
    tenth = whole.share(0.1)
    assert tenth.resources == Resources(2_080, 640, 4_160, 9, {"BRAM18": 10})
    assert tenth.name == "arty-a7-35t-10pct" and whole.share(1, "all").name == "all"
    assert tenth.clock_hz == whole.clock_hz
    assert tenth.memory_bandwidth_bytes_per_s == whole.memory_bandwidth_bytes_per_s


@pytest.mark.parametrize("fraction", [0, -0.5, 1.01, float("nan")])
def test_impossible_share_is_refused(fraction: float) -> None:
    with pytest.raises(BadInput, match="over 0 and at most 1"):
        load_board("pynq-z1").share(fraction)


def test_unknown_board_names_the_nearest() -> None:
    with pytest.raises(BadInput, match="pynqz2.*did you mean pynq-z2"):
        load_board("pynqz2")
    with pytest.raises(BadInput, match="known: .*zcu104"):
        load_board("q")


def good_text() -> str:
    return (package_data("boards") / "pynq-z2.toml").read_text()


def test_a_file_of_the_users_own_is_a_board(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(good_text().replace('name = "pynq-z2"', 'name = "mine"'))
    assert load_board(path).name == "mine"


MISTAKES = [
    # (text, replacement, what the error must say)
    ("clock_hz = 100e6", "clock_hz = 0", r"clock_hz must be over 0.*found 0"),
    ("clock_hz = 100e6", "clock_hz = inf", r"clock_hz must be finite, found inf"),
    ("clock_hz = 100e6", 'clock_hz = "fast"', r"key 'clock_hz': Expected `float`.*found 'fast'"),
    ("clock_hz = 100e6", "clock_mhz = 100", r"key 'clock_mhz' is not known; did you mean clock_hz"),
    ("clock_hz = 100e6\n", "", r"key 'clock_hz' is missing"),
    ("stream_bits = 64", "stream_bits = -1", r"stream_bits must be over 0.*found -1"),
    ('family = "xc7"', 'family = "xc8"', r"family must be one of .*xc7.*found 'xc8'"),
    ('family = "xc7"', 'family = "ice40"', r"resources.ram must be given for EBR and SPRAM"),
    (
        "lutram = 17_400",
        "lutram = 60_000",
        r"resources.lutram must be at most .*53200.*found 60000",
    ),
    ("dsp = 220", "dsp = -220", r"resources.dsp must be at least 0, found -220"),
    ("dsp = 220\n", "", r"key 'resources.dsp' is missing"),
    ("dsp = 220", "dps = 220", r"key 'resources.dps' is not known; did you mean dsp"),
    ("dsp = 220", "dsp = 220.5", r"key 'resources.dsp': Expected `int`.*found 220.5"),
    ("BRAM18 = 280", "BRAM36 = 140", r"resources.ram must be given for BRAM18"),
    ("BRAM18 = 280", "BRAM18 = 280, URAM = 5", r"resources.ram must be given for BRAM18"),
    ("dsp = 0.8", "dsp = 1.5", r"usable.dsp must be over 0 and at most 1, found 1.5"),
    ("dsp = 0.8", "dsp = 0", r"usable.dsp must be over 0 and at most 1, found 0"),
    ("[resources]", "[resources", r"is not a TOML file"),
]


@pytest.mark.parametrize(("text", "replacement", "says"), MISTAKES)
def test_a_mistake_in_a_board_file_is_named(
    tmp_path: Path, text: str, replacement: str, says: str
) -> None:
    path = tmp_path / "bad.toml"
    assert text in good_text()
    path.write_text(good_text().replace(text, replacement))
    with pytest.raises(BadInput, match=says) as caught:
        load_board(path)
    assert str(path) in caught.value.message and caught.value.fields["path"] == str(path)


def test_a_board_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone\.toml: cannot be read \(No such file"):
        load_board(tmp_path / "gone.toml")


def test_boards_load_without_a_heavy_import() -> None:
    code = (
        "import sys; from codesign.board import all_boards; all_boards(); "
        "print(*{'torch', 'numpy', 'onnx', 'numba', 'matplotlib'} & sys.modules.keys())"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == ""
