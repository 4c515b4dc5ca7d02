"""One short question to another program: its version, or the state of a checkout."""

from __future__ import annotations

import subprocess


def ask(*command: str, timeout_s: float = 10) -> str | None:
    """What `command` prints, stripped; None when it cannot run, fails or takes too long."""
    try:
        run = subprocess.run(
            command, check=True, capture_output=True, text=True, errors="replace", timeout=timeout_s
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip()
