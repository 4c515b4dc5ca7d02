"""numba with its cache in a folder of the user, never inside site-packages."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numba

from codesign.tools.cache import cache_folder


def numba_folder() -> Path:
    """NUMBA_CACHE_DIR, else a folder for these very sources in the user's cache folder.

    numba itself only notices changes of the file that a function stands in, not of the constants
    and types that it takes from others.
    """
    if numba.config.CACHE_DIR:
        return Path(numba.config.CACHE_DIR)
    return cache_folder(f"numba/{_sources()}")


def _sources() -> str:
    """Hash of the files of this package."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


numba.config.CACHE_DIR = str(numba_folder())
# Kernels allocate nothing. Without numba's run time (nrt) no reference to an array is counted, which
# would take longer than an event.
jit = numba.njit(cache=True, _nrt=False)
inlined = numba.njit(forceinline=True, _nrt=False)
