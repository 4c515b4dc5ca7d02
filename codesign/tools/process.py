"""Starting another program: its output kept, its failure told in words."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codesign.errors import ToolMissing


@dataclass(frozen=True)
class Finished:
    """What a program came to: exit code, and everything it printed on stdout and stderr.

    `timed_out` says that it was stopped because its time was up.
    """

    exit_code: int
    output: str
    timed_out: bool = False

    def tail(self, lines: int = 12) -> str:
        """The last lines that are not empty."""
        return "\n".join([ln for ln in self.output.splitlines() if ln.strip()][-lines:])


def run_tool(
    command: Sequence[str | Path], folder: Path, install: str, timeout_s: float | None = None
) -> Finished:
    """Run `command` in `folder` to its end, or for `timeout_s` seconds.

    Raises ToolMissing with the words `install` when the program cannot be started. An interrupt of
    the user stops the program, too.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout_s,
        )
    except subprocess.TimeoutExpired as late:
        return Finished(-1, (late.stdout or b"").decode(errors="replace"), timed_out=True)
    except OSError as error:
        raise ToolMissing(
            f"{words[0]} cannot be started ({error.strerror}): {install}",
            tool=words[0],
            install=install,
        ) from error
    return Finished(done.returncode, done.stdout)
