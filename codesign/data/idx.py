"""MNIST and Fashion-MNIST in their own IDX format, plain or gzipped.

IDX (LeCun): two zero bytes, the type (8 = unsigned byte), the number of dimensions, each dimension
as a big-endian 32-bit integer, then the values.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from codesign.data.dataset import Source, Split
from codesign.errors import BadInput

DIGITS = tuple("0123456789")
CLOTHES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)


def read_mnist(folder: Path) -> Source:
    """The MNIST files of `folder`, (60000 + 10000, 1, 28, 28); raises BadInput."""
    train, test = _part(folder, "train"), _part(folder, "t10k")
    return Source("mnist", train, test, DIGITS, mean=(0.1307,), std=(0.3081,))


def read_fashion_mnist(folder: Path) -> Source:
    """The Fashion-MNIST files of `folder`, (60000 + 10000, 1, 28, 28); raises BadInput."""
    train, test = _part(folder, "train"), _part(folder, "t10k")
    return Source("fashion-mnist", train, test, CLOTHES, mean=(0.2860,), std=(0.3530,))


def _part(folder: Path, prefix: str) -> Split:
    images_path = _find(folder, f"{prefix}-images-idx3-ubyte")
    labels_path = _find(folder, f"{prefix}-labels-idx1-ubyte")
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if images.shape[1:] != (28, 28):
        found = "x".join(map(str, images.shape[1:]))
        raise BadInput(f"{images_path}: images must be 28x28, found {found}", path=str(images_path))
    if len(images) != len(labels):
        raise BadInput(
            f"{labels_path}: must hold one label for each of the {len(images)} images of "
            f"{images_path.name}, found {len(labels)}",
            path=str(labels_path),
        )
    if labels.max(initial=0) > 9:
        at = int(np.argmax(labels > 9))
        raise BadInput(
            f"{labels_path}: labels must be 0 to 9, found {labels[at]} at position {at}",
            path=str(labels_path),
        )
    return Split(images[:, np.newaxis], labels.astype(np.int64))


def _find(folder: Path, stem: str) -> Path:
    """The file `stem`, plain or .gz; "-idx" may be written ".idx" as in unpacked copies."""
    for name in (stem, stem.replace("-idx", ".idx")):
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise BadInput(f"{folder}: must hold {stem} or {stem}.gz, found neither", path=str(folder))


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """The uint8 array of an IDX file (gzipped or not, told by its content); raises BadInput."""
    data = _bytes(path)
    magic = bytes((0, 0, 8, dimensions))
    if data[:4] != magic:
        raise BadInput(
            f"{path}: must begin with the magic number {magic.hex()} of an IDX file of unsigned "
            f"bytes in {dimensions} dimension(s), found {data[:4].hex() or 'an empty file'}",
            path=str(path),
        )
    start = 4 + 4 * dimensions
    if len(data) < start:
        raise BadInput(f"{path}: is truncated in its header of {start} bytes", path=str(path))
    shape = struct.unpack_from(f">{dimensions}I", data, 4)
    wanted, found = int(np.prod(shape, dtype=np.uint64)), len(data) - start
    if found != wanted:
        fault = "is truncated" if found < wanted else "is too long"
        raise BadInput(
            f"{path}: {fault}: its header promises {wanted} bytes of data, found {found}; "
            "fetch the file again",
            path=str(path),
        )
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BadInput(
            f"{path}: is not a whole gzip file ({error}); fetch the file again", path=str(path)
        ) from error
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})", path=str(path)) from error
