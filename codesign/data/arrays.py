"""The user's own data: arrays in an .npz file, in a folder, or from a function.

Keys: x_train, y_train, and if there is an own test part x_test, y_test; `x` holds whole numbers
0 .. input_max as (N, C, H, W), (N, H, W) or (N, features), `y` class numbers from 0. Optional keys:
input_max (default 255) and classes (names). A folder holds these as .npy files named after the
keys, or .npz files that are joined in the order of their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from codesign.data.dataset import Source, Split
from codesign.errors import BadInput
from codesign.imports import import_object
from codesign.npz import read_npz
from codesign.strict import nearest

PIXEL_KEYS = ("x_train", "x_test")
KEYS = (*PIXEL_KEYS, "y_train", "y_test", "input_max", "classes")
MOST_CLASSES = 100_000  # a label beyond is a mistake, no class
CURE = "write it with numpy.savez, arrays of numbers alone"


def read(path: Path) -> Source:
    """The data set in an .npz file or a folder; raises BadInput."""
    if not path.exists():
        raise BadInput(f"{path}: no such file or folder of data", path=str(path))
    return _source(
        str(path), path.stem, _from_folder(path) if path.is_dir() else read_npz(path, CURE)
    )


def call(spec: str) -> Source:
    """The data set that "module:function" returns, as a mapping with the keys above."""
    function = import_object(spec, "data")
    try:
        made = function()
    except Exception as error:  # the user's function may fail in any way
        raise BadInput(f"{spec}: raised {type(error).__name__}: {error}") from error
    if not isinstance(made, Mapping):
        raise BadInput(f"{spec}: must return a dictionary of arrays, found {type(made).__name__}")
    return _source(spec, spec, made)


def _from_npy(path: Path) -> np.ndarray:
    try:
        with path.open("rb") as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except Exception as error:  # damaged bytes can raise nearly anything
        raise BadInput(f"{path}: is not a plain .npy array ({error})", path=str(path)) from error


def _from_folder(folder: Path) -> dict[str, np.ndarray]:
    parts: dict[str, list[np.ndarray]] = {p.stem: [_from_npy(p)] for p in folder.glob("*.npy")}
    for path in sorted(folder.glob("*.npz")):
        for key, value in read_npz(path, CURE).items():
            parts.setdefault(key, []).append(value)
    try:
        return {
            key: np.concatenate(values) if key[:2] in ("x_", "y_") else values[0]
            for key, values in parts.items()
        }
    except ValueError as error:
        raise BadInput(f"{folder}: its files do not join ({error})", path=str(folder)) from error


def _source(where: str, name: str, given: Mapping[str, np.ndarray]) -> Source:
    for key in given:
        if key not in KEYS:
            hint = nearest(str(key), list(KEYS))
            raise BadInput(f"{where}: key {key!r} is not known{hint}", key=key)
    given = {key: _array(where, key, value) for key, value in given.items()}
    input_max = _input_max(where, given.get("input_max", np.array(255)))
    train = _split(where, given, "train", input_max)
    test = _split(where, given, "test", input_max) if "x_test" in given else None
    return Source(name, train, test, _classes(where, given, train, test), input_max)


def _array(where: str, key: str, value: object) -> np.ndarray:
    """`value` as an array; lists of lists from the user's function may have no shape."""
    try:
        return np.asarray(value)
    except ValueError as error:
        raise BadInput(f"{where}: {key} must be an array ({error})", key=key) from error


def _input_max(where: str, found: np.ndarray) -> int:
    if found.size != 1 or found.dtype.kind not in "iu" or not 1 <= found.item() <= 255:
        raise BadInput(
            f"{where}: input_max must be a whole number from 1 to 255, found {found.tolist()}",
            key="input_max",
        )
    return found.item()


def _split(where: str, given: Mapping[str, np.ndarray], part: str, input_max: int) -> Split:
    for key in (f"x_{part}", f"y_{part}"):
        if key not in given:
            raise BadInput(f"{where}: must hold {key}, found {', '.join(given) or 'none'}", key=key)
    x = _pixels(f"{where}: x_{part}", given[f"x_{part}"], input_max)
    y = given[f"y_{part}"]
    if y.shape != (len(x),) or y.dtype.kind not in "iu":
        raise BadInput(
            f"{where}: y_{part} must be {len(x)} whole numbers in one dimension, one for each "
            f"sample of x_{part}, found {y.dtype} of shape {y.shape}",
            key=f"y_{part}",
        )
    return Split(x, y.astype(np.int64))


def _pixels(where: str, x: np.ndarray, input_max: int) -> np.ndarray:
    """`x` as uint8 (N, C, H, W)."""
    if x.dtype.kind not in "iu":
        raise BadInput(
            f"{where} must be whole numbers 0 to {input_max}, found {x.dtype}; scale and round it "
            "first, because the accelerator takes integers"
        )
    if x.ndim not in (2, 3, 4) or not x.size:
        raise BadInput(
            f"{where} must have the shape (N, C, H, W), (N, H, W) or (N, features), found {x.shape}"
        )
    if x.min() < 0 or x.max() > input_max:
        raise BadInput(f"{where} must be 0 to {input_max}, found {x.min()} to {x.max()}")
    shape = {2: (*x.shape, 1, 1), 3: (len(x), 1, *x.shape[1:]), 4: x.shape}[x.ndim]
    return np.ascontiguousarray(x.astype(np.uint8)).reshape(shape)


def _classes(
    where: str, given: Mapping[str, np.ndarray], train: Split, test: Split | None
) -> tuple[str, ...]:
    """Names as given, or the numbers 0 .. greatest label of the training part."""
    count = min(int(train.y.max()), MOST_CLASSES - 1) + 1
    names = given.get("classes", np.arange(count))
    if names.ndim != 1:
        raise BadInput(
            f"{where}: classes must be the list of their names, found {names.tolist()!r}",
            key="classes",
        )
    names = tuple(map(str, names.tolist()))
    for part, split in (("train", train), ("test", test)):
        if split is not None and (split.y.min() < 0 or split.y.max() >= len(names)):
            raise BadInput(
                f"{where}: y_{part} must be 0 to {len(names) - 1} ({len(names)} classes), "
                f"found {split.y.min()} to {split.y.max()}",
                key=f"y_{part}",
            )
    if test is not None and test.x.shape[1:] != train.x.shape[1:]:
        raise BadInput(
            f"{where}: x_test must have samples of shape {train.x.shape[1:]} as x_train has, "
            f"found {test.x.shape[1:]}",
            key="x_test",
        )
    return names
