"""numba with its cache in a folder of the user, never inside site-packages."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numba


def cache_folder() -> Path:
    """NUMBA_CACHE_DIR, else codesign/numba in the user's cache folder, else in the temporary one."""
    if numba.config.CACHE_DIR:
        return Path(numba.config.CACHE_DIR)
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(root) / "codesign" / "numba"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.gettempdir()) / f"codesign-numba-{os.getuid()}"


numba.config.CACHE_DIR = str(cache_folder())
jit = numba.njit(cache=True)
inlined = numba.njit(forceinline=True)
