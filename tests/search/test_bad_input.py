"""What cannot be, through the command line: impossible targets, primes, boards without DSPs or RAMs."""

from __future__ import annotations

import json
import re

import pytest

from codesign.board import load_board
from codesign.cli import main
from codesign.design import save_design
from codesign.files import package_data, write_text_atomic
from codesign.lowering import assemble
from tests.search.test_padding import prime_mlp
from tests.small_graphs import mlp

PYNQ = load_board("pynq-z1")
WITHOUT = {"dsp": (r"^dsp = .*$", "dsp = 0"), "ram": (r"^ram = \{.*$", "ram = { BRAM18 = 0 }")}


def _saved(graph, folder):
    save_design(assemble(graph, {}, PYNQ), graph.params, folder)
    return str(folder)


def _board(folder, *without, share=1.0):
    """The file of a PYNQ-Z1 that lacks counts of the device, and has a share of its LUTs and LUT RAM."""
    text = (package_data("boards") / "pynq-z1.toml").read_text()
    text = text.replace('name = "pynq-z1"', 'name = "bare"')
    for count, size in (("lut", 53_200), ("lutram", 17_400)):
        text = text.replace(f"{count} = {size:_}", f"{count} = {round(size * share)}")
    for count in without:
        # The counts of the device come before the usable fractions, which have the same names.
        text = re.sub(*WITHOUT[count], text, count=1, flags=re.MULTILINE)
    path = folder / "bare.toml"
    write_text_atomic(path, text)
    return str(path)


def _failed(capsys):
    """The verdict of `--json`, without a traceback."""
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return json.loads(out)["verdict"]


def test_a_rate_beyond_the_budget_names_what_binds_and_the_nearest(tmp_path, capsys):
    model, board = _saved(mlp((64, 64, 10), bits=8), tmp_path / "m"), _board(tmp_path, share=0.1)
    words = ["estimate", model, "--board", board, "--json", "--target-fps"]
    assert main([*words, "5e7"]) == 3
    verdict = _failed(capsys)
    assert re.search(r"needs [\d,]+ LUT of [\d,]+ usable", verdict["sentence"])
    assert re.match(r"Proven: every folding for the target needs [\d.]+% more", verdict["proof"])
    nearest = next(x for x in verdict["levers"] if x.startswith("a target of at most"))
    reachable = float(re.search(r"[\d,]+", nearest).group().replace(",", ""))
    assert main([*words, str(reachable * 0.99)]) == 0


def test_a_rate_beyond_every_folding_is_told_with_the_fastest(tmp_path, capsys):
    words = ["estimate", _saved(prime_mlp(), tmp_path), "--board", "pynq-z1", "--json"]
    assert main([*words, "--target-fps", "1e9"]) == 3
    verdict = _failed(capsys)
    assert verdict["shortfall"] == (
        "The target is missed: the fastest design that fits gives 100,000,000 frames/s."
    )
    assert verdict["proof"] == "Proven: no legal folding is faster, whatever the budget."


def test_a_latency_out_of_reach_is_told_with_the_shortest(tmp_path, capsys):
    words = ["estimate", _saved(prime_mlp(), tmp_path), "--board", "pynq-z1", "--json"]
    assert main([*words, "--target-latency", "1e-8"]) == 3
    verdict = _failed(capsys)
    shortest = re.search(r"latency found is ([\d.]+) µs \(simulated\)", verdict["shortfall"])
    bound = re.search(r"Proven: no folding .* latency of less than ([\d.]+) µs", verdict["proof"])
    assert 0.01 < float(bound.group(1)) <= float(shortest.group(1))


@pytest.mark.parametrize("words", [[], ["--pad-channels"]])
def test_prime_dimensions_are_folded(tmp_path, capsys, words):
    save_design(assemble(prime_mlp(), {}, PYNQ), prime_mlp().params, tmp_path)
    assert main(["fit", str(tmp_path), "--boards", "pynq-z1", "--json", *words]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["fits"] and row["optimal"]


@pytest.mark.parametrize("without", [("dsp",), ("ram",), ("dsp", "ram")])
def test_a_board_without_dsps_or_rams_gets_a_design_without(tmp_path, capsys, without):
    model, board = _saved(mlp((64, 64, 10), bits=8), tmp_path / "m"), _board(tmp_path, *without)
    assert main(["estimate", model, "--board", board, "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["total"]
    assert all(total.get({"dsp": "dsp", "ram": "BRAM18"}[count], 0) == 0 for count in without)
    assert main(["pareto", model, "--board", board, "--rates", "1", "--memories", "1"]) == 0


def test_where_nothing_fits_such_a_board_the_binding_count_is_named(tmp_path, capsys):
    model = _saved(mlp((64, 64, 10), bits=8), tmp_path / "m")
    board = _board(tmp_path, "dsp", "ram", share=0.01)
    assert main(["estimate", model, "--board", board, "--json"]) == 3
    verdict = _failed(capsys)
    assert not verdict["fits"] and "LUT" in verdict["proof"]
    assert main(["fit", model, "--boards", board]) == 3
    assert "limited by LUT" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--target-fps", "0"], ["--target-latency", "-1"]])
@pytest.mark.parametrize("command", ["estimate", "fit"])
def test_a_target_that_is_none_is_refused(tmp_path, capsys, command, words):
    board = ["--board" if command == "estimate" else "--boards", "pynq-z1"]
    assert main([command, _saved(prime_mlp(), tmp_path), *board, *words]) == 2
    assert "must be over 0 and finite" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["typo", "lut=0", "lut=-1", "lut=1,typo=2"])
@pytest.mark.parametrize("command", [[], ["--board", "zcu104"], ["--target-fps", "1000"]])
def test_a_count_to_minimise_that_is_none_is_refused_with_the_legal_names(
    tmp_path, capsys, command, words
):
    words = ["estimate", _saved(prime_mlp(), tmp_path), *command, "--minimise", words]
    assert main(words) == 2
    assert "lut, lutram, ff, dsp, BRAM18" in capsys.readouterr().err


def test_a_design_is_folded_anew_for_what_is_minimised(tmp_path, capsys):
    """LUTs of the fastest folding, and of the equally fast one that has the fewest."""
    model, luts = _saved(mlp((64, 64, 10), bits=8), tmp_path), []
    for words in (["--minimise", "dsp"], ["--minimise", "lut"]):
        assert main(["estimate", model, "--json", *words]) == 0
        luts.append(json.loads(capsys.readouterr().out)["total"]["lut"])
    assert luts[1] < luts[0]
