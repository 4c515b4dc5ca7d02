"""Where a result comes from: versions, commit, machine, time and command."""

from __future__ import annotations

import platform
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path

from codesign import __version__
from codesign.doctor import package
from codesign.tools.ask import ask

PACKAGES = ("torch", "brevitas", "qonnx", "onnx", "onnxruntime", "numpy", "numba", "scikit-learn")


def provenance(seed: int | None = None) -> dict[str, object]:
    """Facts that let someone repeat a run: seed, command, versions, git commit, machine, time.

    `git` is None outside a checkout, otherwise {"commit", "dirty"}; a package that is not
    installed has the version None; `time` is ISO 8601 in UTC.
    """
    return {
        "seed": seed,
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "git": git_state(Path(__file__).parent),
        "platform": platform.platform(),
        "versions": {
            "codesign": __version__,
            "python": platform.python_version(),
            **{name: package(name)() for name in PACKAGES},
        },
    }


def git_state(folder: Path) -> dict[str, object] | None:
    """Commit of the checkout that tracks `folder`, and whether tracked files differ from it."""
    git = ("git", "-C", str(folder))
    commit, status = (
        ask(*git, "rev-parse", "HEAD"),
        ask(*git, "status", "--porcelain", "-uno"),
    )
    tracked = ask(*git, "ls-files", ".")
    if commit is None or status is None or not tracked:
        return None
    return {"commit": commit, "dirty": bool(status)}
