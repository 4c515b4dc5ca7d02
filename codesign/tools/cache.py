"""The user's cache folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """A writable folder codesign/`kind` in the user's cache folder, else in the temporary one."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(root) / "codesign" / kind
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        spare = Path(tempfile.gettempdir()) / f"codesign-{os.getuid()}" / kind
        spare.mkdir(parents=True, exist_ok=True)
        return spare
