"""Files appear whole or not at all, also when the disk fills half-way through a set of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from codesign.errors import BadInput
from codesign.files import staged_folder, write_all_atomic


def test_a_disk_that_fills_leaves_none_of_the_files(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "a").write_bytes(b"before")
    real, opened = os.fdopen, []

    def full_at_the_second(handle: int, mode: str):
        opened.append(handle)
        if len(opened) == 2:
            os.close(handle)
            raise OSError(28, "No space left on device")
        return real(handle, mode)

    monkeypatch.setattr(os, "fdopen", full_at_the_second)
    with pytest.raises(BadInput, match="b: cannot be written .No space left on device.*free some"):
        write_all_atomic({tmp_path / "a": b"after", tmp_path / "b": b"new"})
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"before"


def test_a_folder_that_fails_half_way_leaves_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "old").write_text("kept")
    with pytest.raises(ValueError), staged_folder(tmp_path / "run") as stage:
        (stage / "new").write_text("half")
        raise ValueError
    assert [p.name for p in tmp_path.rglob("*")] == ["run", "old"]
