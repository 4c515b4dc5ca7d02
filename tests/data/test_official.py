"""The official data sets against published facts about them."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from codesign.data import Dataset, load_dataset
from codesign.data.idx import read_idx

# MD5 of the four unpacked files as published by LeCun.
MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
MNIST_TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]


@pytest.fixture(scope="module")
def mnist(data_dir: Path) -> Dataset:
    return load_dataset("mnist", data_dir)


@pytest.fixture(scope="module")
def cifar10(data_dir: Path) -> Dataset:
    return load_dataset("cifar-10", data_dir)


@pytest.mark.parametrize("name", MNIST_MD5)
def test_mnist_is_read_to_the_last_byte(data_dir: Path, name: str) -> None:
    array = read_idx(data_dir / "mnist" / f"{name}.gz", 3 if "images" in name else 1)
    written = struct.pack(f">I{array.ndim}I", 0x800 + array.ndim, *array.shape) + array.tobytes()
    assert hashlib.md5(written).hexdigest() == MNIST_MD5[name]


def test_mnist_has_its_class_counts_and_order(mnist: Dataset) -> None:
    counts = np.bincount(mnist.train.y) + np.bincount(mnist.validation.y)
    assert counts.tolist() == MNIST_TRAIN_COUNTS
    assert mnist.test.y[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert mnist.test.x.shape == (10_000, 1, 28, 28) and mnist.input_max == 255


def test_fashion_mnist_is_balanced_and_in_order(data_dir: Path) -> None:
    data = load_dataset("fashion-mnist", data_dir)
    assert (np.bincount(data.train.y) + np.bincount(data.validation.y)).tolist() == [6000] * 10
    first = [data.classes[label] for label in data.test.y[:3]]
    assert first == ["Ankle boot", "Pullover", "Trouser"]


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar-10"])
def test_published_mean_and_deviation_are_those_of_the_pixels(data_dir: Path, name: str) -> None:
    data = load_dataset(name, data_dir, validation_fraction=0)
    x = data.train.x / np.float32(data.input_max)
    assert np.allclose(x.mean((0, 2, 3)), data.mean, atol=2e-4)
    assert np.allclose(x.std((0, 2, 3)), data.std, atol=2e-3)


def test_cifar10_is_balanced_and_in_order(cifar10: Dataset) -> None:
    counts = np.bincount(cifar10.train.y) + np.bincount(cifar10.validation.y)
    assert counts.tolist() == [5000] * 10
    first = [cifar10.classes[label] for label in cifar10.test.y[:4]]
    assert first == ["cat", "ship", "ship", "airplane"]


def test_cifar10_pickles_hold_the_binary_batches(data_dir: Path, cifar10: Dataset) -> None:
    pickles = load_dataset("cifar-10", data_dir / "cifar-10-batches-py")
    for part in ("train", "validation", "test"):
        a, b = getattr(pickles, part), getattr(cifar10, part)
        assert np.array_equal(a.x, b.x) and np.array_equal(a.y, b.y)


def test_a_data_folder_may_be_the_folder_of_the_files(data_dir: Path, mnist: Dataset) -> None:
    direct = load_dataset("mnist", data_dir / "mnist")
    assert np.array_equal(direct.test.y, mnist.test.y)


def test_the_environment_names_the_data_folder(
    data_dir: Path, mnist: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODESIGN_DATA", str(data_dir))
    assert np.array_equal(load_dataset("mnist").train.y, mnist.train.y)
