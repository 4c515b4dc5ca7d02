"""CIFAR-10 (Krizhevsky 2009) in its binary batches or its Python pickles."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np

from codesign.data.dataset import Source, Split
from codesign.errors import BadInput

CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
BATCH_ROWS = 10_000
PIXELS = 3 * 32 * 32


def read_cifar10(folder: Path) -> Source:
    """The six batches of `folder`, (50000 + 10000, 3, 32, 32); raises BadInput."""
    binary = (folder / "data_batch_1.bin").is_file()
    read, suffix = (read_binary, ".bin") if binary else (read_pickle, "")
    batches = [read(folder / f"data_batch_{k}{suffix}") for k in range(1, 6)]
    train = Split(
        np.concatenate([batch.x for batch in batches]),
        np.concatenate([batch.y for batch in batches]),
    )
    test = read(folder / f"test_batch{suffix}")
    mean, std = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
    return Source("cifar-10", train, test, CLASSES, mean=mean, std=std)


def read_binary(path: Path) -> Split:
    """A binary batch: 10,000 rows of one label byte and 3,072 bytes (R, G, B planes)."""
    data = _bytes(path)
    wanted = BATCH_ROWS * (1 + PIXELS)
    if len(data) != wanted:
        raise BadInput(
            f"{path}: must hold {BATCH_ROWS} rows of 1 + {PIXELS} bytes = {wanted} bytes, "
            f"found {len(data)}; fetch the file again",
            path=str(path),
        )
    rows = np.frombuffer(data, dtype=np.uint8).reshape(BATCH_ROWS, 1 + PIXELS)
    return _split(path, rows[:, 1:], rows[:, 0].astype(np.int64))


def read_pickle(path: Path) -> Split:
    """A Python batch: a dictionary with b"data", uint8 (10000, 3072), and b"labels", a list."""
    batch = _unpickled(path)
    if not isinstance(batch, dict) or not {b"data", b"labels"} <= batch.keys():
        raise BadInput(f"{path}: must be a dictionary with data and labels", path=str(path))
    pixels, labels = batch[b"data"], batch[b"labels"]
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8:
        raise BadInput(f"{path}: data must be an array of unsigned bytes", path=str(path))
    if pixels.shape != (BATCH_ROWS, PIXELS):
        raise BadInput(
            f"{path}: data must have the shape ({BATCH_ROWS}, {PIXELS}), found {pixels.shape}",
            path=str(path),
        )
    if not isinstance(labels, list) or not all(type(label) is int for label in labels):
        raise BadInput(f"{path}: labels must be a list of integers", path=str(path))
    if len(labels) != BATCH_ROWS:
        raise BadInput(
            f"{path}: must hold {BATCH_ROWS} labels, found {len(labels)}", path=str(path)
        )
    return _split(path, pixels, np.array(labels, dtype=np.int64))


def _split(path: Path, pixels: np.ndarray, labels: np.ndarray) -> Split:
    wrong = np.flatnonzero((labels < 0) | (labels > 9))
    if len(wrong):
        raise BadInput(
            f"{path}: labels must be 0 to 9, found {labels[wrong[0]]} in row {wrong[0]}",
            path=str(path),
        )
    return Split(np.ascontiguousarray(pixels).reshape(-1, 3, 32, 32), labels)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise BadInput(
            f"{path.parent}: must hold {path.name}, found none", path=str(path)
        ) from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})", path=str(path)) from error


def _latin1(text: str, encoding: str) -> bytes:
    """How Python 3 writes bytes in an old pickle; any other codec is refused."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"codec {encoding}")
    return text.encode("latin1")


class _Unpickler(pickle.Unpickler):
    """Builds NumPy arrays and plain Python values, and nothing else: a pickle is a program."""

    def find_class(self, module: str, name: str) -> Callable:
        allowed = {
            ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
            ("numpy._core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
            ("_codecs", "encode"): _latin1,
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return allowed[module, name]


def _unpickled(path: Path) -> object:
    data = _bytes(path)
    try:
        return _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise BadInput(
            f"{path}: is not a CIFAR-10 batch ({error or type(error).__name__}); only arrays and "
            "plain values are read from it",
            path=str(path),
        ) from error
