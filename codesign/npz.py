"""Arrays in .npz files: read without trust in their bytes, told apart by their content."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from codesign.errors import BadInput


def read_npz(path: Path, cure: str) -> dict[str, np.ndarray]:
    """Every array of the .npz file `path`, by its name.

    Raises BadInput, which ends with `cure`, for a file that is missing, damaged, no .npz at all, or
    holds Python objects.
    """
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadInput(f"{path}: cannot be read ({reason}); {cure}", path=str(path)) from error
    except Exception as error:  # a damaged archive can raise nearly anything
        raise BadInput(
            f"{path}: is not an .npz file of plain arrays ({error or type(error).__name__}); {cure}",
            path=str(path),
        ) from error


def digest_of(array: np.ndarray) -> str:
    """SHA-256 (hexadecimal) of the integers of `array`, whatever type they are stored in."""
    return hashlib.sha256(np.ascontiguousarray(array, dtype=np.int64).tobytes()).hexdigest()
