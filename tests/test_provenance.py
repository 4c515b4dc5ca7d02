"""Where a result comes from."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy
import pytest

from codesign.provenance import git_state, provenance


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_versions_time_and_seed() -> None:
    facts = json.loads(json.dumps(provenance(seed=5)))
    assert facts["seed"] == 5
    assert facts["versions"]["numpy"] == numpy.__version__
    assert facts["versions"]["python"] == platform.python_version()
    age = datetime.now(UTC) - datetime.fromisoformat(facts["time"])
    assert timedelta(0) <= age < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("argv", "typed"),
    [
        (["/usr/bin/codesign", "run", "my flow.toml"], "codesign run 'my flow.toml'"),
        (["/x/codesign/__main__.py", "boards"], "python -m codesign boards"),
    ],
)
def test_the_command_can_be_typed_again(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], typed: str
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    assert provenance()["command"] == typed


def test_git_state_of_a_clean_a_changed_and_no_checkout(tmp_path: Path) -> None:
    inside = tmp_path / "repo"
    inside.mkdir()
    git(inside, "init", "-q")
    (inside / "a").write_text("1")
    assert git_state(inside) is None  # no commit yet
    git(inside, "add", "a")
    git(inside, "commit", "-q", "-m", "first")
    commit = git(inside, "rev-parse", "HEAD")
    assert git_state(inside) == {"commit": commit, "dirty": False}
    (inside / "a").write_text("2")
    assert git_state(inside) == {"commit": commit, "dirty": True}
    assert git_state(tmp_path) is None


def test_a_package_below_an_unrelated_checkout_has_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    (tmp_path / ".venv").mkdir()
    assert git_state(tmp_path / ".venv") is None
