"""numba with its cache in a folder of the user, never inside site-packages."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import numba


def cache_folder() -> Path:
    """NUMBA_CACHE_DIR, else codesign/numba in the user's cache folder, else in the temporary one.

    In it a folder for these very sources: numba itself only notices changes of the file that a
    function stands in, not of the constants and types that it takes from others.
    """
    if numba.config.CACHE_DIR:
        return Path(numba.config.CACHE_DIR)
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(root) / "codesign" / "numba" / _sources()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.gettempdir()) / f"codesign-numba-{os.getuid()}" / _sources()


def _sources() -> str:
    """Hash of the files of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


numba.config.CACHE_DIR = str(cache_folder())
# Kernels allocate nothing. Without numba's run time (nrt) no reference to an array is counted, which
# would take longer than an event.
jit = numba.njit(cache=True, _nrt=False)
inlined = numba.njit(forceinline=True, _nrt=False)
