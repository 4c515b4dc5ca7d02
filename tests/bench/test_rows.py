"""A table of some rows only."""

from __future__ import annotations

import msgspec

from codesign.cli import main


def test_some_rows_make_a_table_of_their_own(tmp_path, capsys):
    out = ["gaussian", "--part", "0.01", "--seeds", "2", "--out", str(tmp_path)]
    assert main(["bench", *out, "--rows", "at most", "--json"]) == 0
    found = msgspec.json.decode(capsys.readouterr().out)
    assert found["rows"] and all("at most" in row["name"] for row in found["rows"])
    assert "'at most'" in found["title"]


def test_one_seed_has_no_interval(tmp_path, capsys):
    out = ["gaussian", "--part", "0.01", "--out", str(tmp_path), "--rows", "U3"]
    assert main(["bench", *out, "--seeds", "1"]) == 0
    assert "(one seed)" in (tmp_path / "gaussian.md").read_text()
    assert main(["bench", *out, "--seeds", "2"]) == 0
    text = (tmp_path / "gaussian.md").read_text()
    assert "±" in text and "one seed" not in text


def test_rows_that_are_not_there_are_refused(tmp_path, capsys):
    assert main(["bench", "gaussian", "--rows", "LSQ", "--out", str(tmp_path)]) == 2
    assert "no row of gaussian has 'LSQ' in its name: U3; U1" in " ".join(
        capsys.readouterr().err.split()
    )
