"""Each kind of broken data file ends in one sentence that names the file and the fault."""

from __future__ import annotations

import gzip
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from codesign.data import load_dataset
from codesign.data.cifar10 import read_binary, read_pickle
from codesign.errors import BadInput


def idx(array: np.ndarray, magic: int | None = None) -> bytes:
    """An IDX file as its specification says."""
    return struct.pack(f">I{array.ndim}I", magic or 0x800 + array.ndim, *array.shape) + bytes(array)


IMAGES, LABELS = np.zeros((5, 28, 28), np.uint8), np.arange(5, dtype=np.uint8)


@pytest.fixture
def mnist_folder(tmp_path: Path) -> Path:
    """A small MNIST of 5 + 5 images, plain files."""
    folder = tmp_path / "mnist"
    folder.mkdir()
    for prefix in ("train", "t10k"):
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(idx(IMAGES))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(idx(LABELS))
    return folder


def test_the_small_mnist_is_good_before_it_is_broken(mnist_folder: Path) -> None:
    assert len(load_dataset("mnist", mnist_folder.parent).test) == 5


BROKEN_IMAGES = [
    (idx(IMAGES, magic=0x801), "must begin with the magic number 00000803.*found 00000801"),
    (b"", "magic number.*an empty file"),
    (idx(IMAGES)[:10], "truncated in its header"),
    (idx(IMAGES)[:-1], "is truncated: its header promises 3920 bytes of data, found 3919"),
    (idx(IMAGES) + b"\0", "is too long: its header promises 3920 bytes of data, found 3921"),
    (gzip.compress(idx(IMAGES), mtime=0)[:-20], "not a whole gzip file"),
    (gzip.compress(idx(IMAGES), mtime=0)[:-8] + bytes(8), "not a whole gzip file.*CRC"),
    (b"\x1f\x8b" + bytes(50), "not a whole gzip file"),
    (idx(np.zeros((5, 20, 28), np.uint8)), "images must be 28x28, found 20x28"),
]


@pytest.mark.parametrize(("data", "says"), BROKEN_IMAGES, ids=[says for _, says in BROKEN_IMAGES])
def test_broken_images(mnist_folder: Path, data: bytes, says: str) -> None:
    path = mnist_folder / "train-images-idx3-ubyte"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=says) as caught:
        load_dataset("mnist", mnist_folder.parent)
    assert caught.value.message.startswith(str(path)) and caught.value.fields["path"] == str(path)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (np.array([0, 1, 2, 10, 4], np.uint8), "labels must be 0 to 9, found 10 at position 3"),
        (np.zeros(4, np.uint8), "one label for each of the 5 images .*found 4"),
    ],
)
def test_broken_labels(mnist_folder: Path, labels: np.ndarray, says: str) -> None:
    (mnist_folder / "t10k-labels-idx1-ubyte").write_bytes(idx(labels))
    with pytest.raises(BadInput, match=says):
        load_dataset("mnist", mnist_folder.parent)


def test_a_missing_file_variable_or_folder(
    mnist_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mnist_folder / "train-labels-idx1-ubyte").unlink()
    with pytest.raises(
        BadInput, match=r"must hold train-labels-idx1-ubyte or .*\.gz, found neither"
    ):
        load_dataset("mnist", mnist_folder.parent)
    with pytest.raises(BadInput, match="must hold cifar-10-batches-bin/ or cifar-10-batches-py/"):
        load_dataset("cifar-10", mnist_folder.parent)
    with pytest.raises(BadInput, match="found no such folder$"):
        load_dataset("mnist", mnist_folder / "nowhere")
    monkeypatch.delenv("CODESIGN_DATA", raising=False)
    with pytest.raises(BadInput, match="--data DIR or set CODESIGN_DATA"):
        load_dataset("fashion-mnist")


def test_the_folder_of_another_data_set_is_not_taken(mnist_folder: Path) -> None:
    with pytest.raises(BadInput, match="fashion-mnist/"):
        load_dataset("fashion-mnist", mnist_folder)


def test_a_binary_batch_of_the_wrong_size(tmp_path: Path) -> None:
    path = tmp_path / "data_batch_1.bin"
    path.write_bytes(bytes(3073 * 9_999))
    with pytest.raises(BadInput, match="= 30730000 bytes, found 30726927"):
        read_binary(path)


def test_a_binary_batch_with_a_wrong_label(tmp_path: Path) -> None:
    rows = np.zeros((10_000, 3073), np.uint8)
    rows[77, 0] = 10
    path = tmp_path / "data_batch_1.bin"
    path.write_bytes(rows.tobytes())
    with pytest.raises(BadInput, match="labels must be 0 to 9, found 10 in row 77"):
        read_binary(path)


def test_a_missing_batch_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="must hold test_batch.bin, found none"):
        read_binary(tmp_path / "test_batch.bin")


PIXELS = np.zeros((10_000, 3072), np.uint8)
GOOD = [0] * 10_000


@pytest.mark.parametrize(
    ("made", "says"),
    [
        ([1, 2], "dictionary with data and labels"),
        ({b"data": PIXELS}, "dictionary with data and labels"),
        ({b"data": PIXELS[:9], b"labels": GOOD}, r"shape \(10000, 3072\), found \(9, 3072\)"),
        ({b"data": PIXELS.astype(np.int16), b"labels": GOOD}, "unsigned bytes"),
        ({b"data": PIXELS, b"labels": GOOD[:-1]}, "10000 labels, found 9999"),
        ({b"data": PIXELS, b"labels": [*GOOD[:-1], 11]}, "found 11 in row 9999"),
        ({b"data": PIXELS, b"labels": ["cat"] * 10_000}, "list of integers"),
    ],
)
def test_a_pickle_with_other_contents(tmp_path: Path, made: object, says: str) -> None:
    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps(made, 2))
    with pytest.raises(BadInput, match=says):
        read_pickle(path)


@pytest.mark.parametrize("cut", [0, 1, 40, 2_000_000])
def test_a_truncated_pickle(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps({b"data": PIXELS, b"labels": GOOD}, 4)[:cut])
    with pytest.raises(BadInput, match="is not a CIFAR-10 batch"):
        read_pickle(path)


X, Y = np.zeros((8, 1, 4, 4), np.uint8), np.arange(8) % 2
ARRAYS = {"x_train": X, "y_train": Y}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"x_train": X / 2}, "whole numbers 0 to 255, found float64; scale and round"),
        ({"x_train": X - 1.0 + 0 * X}, "whole numbers"),
        ({"x_train": X.astype(int) - 1}, "x_train must be 0 to 255, found -1 to -1"),
        ({"x_train": X + 5, "input_max": 4}, "x_train must be 0 to 4, found 5 to 5"),
        ({"x_train": X[:0]}, r"found \(0, 1, 4, 4\)"),
        ({"y_train": Y[:7]}, "must be 8 whole numbers in one dimension"),
        ({"y_train": Y / 2}, "found float64"),
        ({"y_train": Y - 1}, "y_train must be 0 to 0 .*found -1"),
        ({"classes": np.array(["a"])}, r"must be 0 to 0 \(1 classes\), found 0 to 1"),
        ({"x_tset": X}, "'x_tset' is not known; did you mean x_test"),
        ({"x_test": X}, "must hold y_test"),
        ({"x_test": X[:, :, :2], "y_test": Y}, r"as x_train has, found \(1, 2, 4\)"),
        ({"x_test": X, "y_test": Y + 1}, "y_test must be 0 to 1"),
        ({"input_max": 256}, "input_max must be a whole number from 1 to 255, found 256"),
        ({"input_max": [1, 2]}, r"input_max must be a whole number from 1 to 255, found \[1, 2\]"),
        ({"input_max": "high"}, "input_max must be a whole number from 1 to 255, found high"),
        ({"classes": 3}, "classes must be the list of their names, found 3"),
        ({"y_train": np.array([10**12] * len(ARRAYS["y_train"]))}, "y_train must be 0 to 99999"),
        ({"x_train": np.array([[{}]], dtype=object)}, "not an .npz file of plain arrays"),
    ],
)
def test_broken_arrays(tmp_path: Path, change: dict, says: str) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **(ARRAYS | change))
    with pytest.raises(BadInput, match=says):
        load_dataset(str(path))


def test_what_is_not_data_at_all(tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_text("hello")
    with pytest.raises(BadInput, match="is not an .npz file"):
        load_dataset(str(tmp_path / "a.npz"))
    with pytest.raises(BadInput, match="no such file or folder"):
        load_dataset(str(tmp_path / "b.npz"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="must hold x_train, found none"):
        load_dataset(str(tmp_path / "empty"))
    with pytest.raises(BadInput, match="'mnits' is not known; did you mean mnist"):
        load_dataset("mnits")


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("no_such_module_here:load", "cannot be imported .ModuleNotFoundError"),
        ("json:no_such", "cannot be imported .AttributeError"),
        ("json:loads", "json:loads: raised TypeError"),
        ("os:getcwd", "must return a dictionary of arrays, found str"),
        (":load", "must be .package.module:name."),
    ],
)
def test_a_function_that_gives_no_data(spec: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        load_dataset(spec)


@pytest.mark.parametrize("fraction", [-0.1, 1, 2])
def test_an_impossible_validation_fraction(fraction: float) -> None:
    with pytest.raises(BadInput, match="at least 0 and below 1"):
        load_dataset("digits", validation_fraction=fraction)


def test_an_impossible_limit() -> None:
    with pytest.raises(BadInput, match="limit must be at least 1, found 0"):
        load_dataset("digits", limit=0)
