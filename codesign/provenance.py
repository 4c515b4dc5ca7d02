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
        "command": _command(),
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
    commit, tracked = ask(*git, "rev-parse", "HEAD"), ask(*git, "ls-files", ".")
    status = ask(*git, "status", "--porcelain", "--untracked-files=no")
    if commit is None or status is None or not tracked:
        return None
    return {"commit": commit, "dirty": bool(status)}


def _command() -> str:
    """The command line as one would type it again."""
    program = Path(sys.argv[0]).name
    typed = ["python", "-m", "codesign"] if program == "__main__.py" else [program]
    return shlex.join([*typed, *sys.argv[1:]])
