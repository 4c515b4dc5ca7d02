"""Files appear whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from codesign.errors import BadInput


def package_data(kind: str) -> Path:
    """Folder of the shipped data `kind`: "boards", "flows" or "hw", in a checkout or a wheel."""
    inside = Path(__file__).parent / "_data" / kind
    return inside if inside.is_dir() else Path(__file__).parent.parent / kind


def _unwritable(path: Path, error: OSError) -> BadInput:
    reason = error.strerror or str(error)
    return BadInput(
        f"{path}: cannot be written ({reason}); free some space or choose another --out folder",
        path=str(path),
        reason=reason,
    )


def write_all_atomic(files: Mapping[Path, bytes]) -> None:
    """Write every file beside its place first, then rename them all; raises BadInput.

    A disk that fills up leaves none of them behind, and what was there before as it was.
    """
    staged: dict[Path, str] = {}
    path = Path()
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, staged[path] = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with os.fdopen(handle, "wb") as out:
                out.write(data)
            os.chmod(staged[path], 0o644)
        for path, temporary in staged.items():
            os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        for temporary in staged.values():
            Path(temporary).unlink(missing_ok=True)


def write_bytes_atomic(path: Path, data: bytes) -> None:
    """Write `data` whole or not at all; raises BadInput."""
    write_all_atomic({Path(path): data})


def write_text_atomic(path: Path, text: str) -> None:
    """Write UTF-8 `text` whole or not at all; raises BadInput."""
    write_bytes_atomic(path, text.encode())


@contextmanager
def staged_folder(path: Path) -> Iterator[Path]:
    """A temporary folder that becomes `path` when the body succeeds, replacing what was there."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield stage
        if path.exists():
            shutil.rmtree(path)
        os.chmod(stage, 0o755)
        os.replace(stage, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
