"""Tables on screens of any width: words fold, columns go, numbers stay whole."""

from __future__ import annotations

import pytest
from rich.console import Console

from codesign.cli import show

COLUMNS = ("Block", "Kind", "LUT", "FF")
ROWS = [("a_very_long_name_of_a_block", "WidthConverter", "1,234,567", "7,654,321")]


def _printed(monkeypatch, capsys, width: int) -> str:
    monkeypatch.setattr(show, "console", lambda: Console(width=width))
    show.print_table("T", COLUMNS, ROWS, "analytic", left=2, optional=("Kind",))
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [45, 60, 80, 200])
def test_numbers_are_never_cut(monkeypatch, capsys, width):
    out = _printed(monkeypatch, capsys, width)
    assert "1,234,567" in out
    assert "7,654,321" in out
    assert max(map(len, out.splitlines())) <= width


def test_a_column_that_is_left_out_is_named(monkeypatch, capsys):
    assert "Left out for want of width: Kind." in " ".join(
        _printed(monkeypatch, capsys, 50).split()
    )
    assert "Left out" not in _printed(monkeypatch, capsys, 200)
