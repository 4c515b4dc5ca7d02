"""Train, validation and test parts are kept apart, seeded and balanced."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits

from codesign.data import Dataset, Split, load_dataset


def images(*splits: Split) -> list[bytes]:
    """Every sample with its label as bytes, sorted: a multiset that does not know the order."""
    return sorted(x.tobytes() + bytes([y]) for s in splits for x, y in zip(s.x, s.y, strict=True))


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset("digits")


def test_the_parts_of_digits_are_all_of_it_and_nothing_twice(digits: Dataset) -> None:
    bunch = load_digits()
    whole = Split(bunch.images.astype(np.uint8), bunch.target)
    assert images(digits.train, digits.validation, digits.test) == images(whole)
    assert digits.input_shape == (1, 8, 8) and digits.input_max == 16 and digits.class_count == 10


def test_the_test_part_depends_on_no_seed_and_no_fraction(digits: Dataset) -> None:
    other = load_dataset("digits", seed=7, validation_fraction=0.3)
    assert np.array_equal(other.test.x, digits.test.x)
    assert images(other.validation) != images(digits.validation)
    assert images(other.train, other.validation) == images(digits.train, digits.validation)


def test_the_same_seed_gives_the_same_parts(digits: Dataset) -> None:
    again = load_dataset("digits")
    assert np.array_equal(again.train.x, digits.train.x)
    assert np.array_equal(again.validation.y, digits.validation.y)


@pytest.mark.parametrize("fraction", [0, 0.1, 0.25])
def test_validation_takes_its_fraction_of_each_class(fraction: float) -> None:
    data = load_dataset("digits", validation_fraction=fraction)
    counts = np.bincount(data.validation.y, minlength=10)
    of = counts + np.bincount(data.train.y, minlength=10)
    assert np.abs(counts - fraction * of).max() <= 0.5


def test_limit_keeps_every_class_and_the_first_test_samples(digits: Dataset) -> None:
    small = load_dataset("digits", limit=50)
    assert 45 <= len(small.train) <= 50 and set(small.train.y.tolist()) == set(range(10))
    assert np.array_equal(small.test.x, digits.test.x[:50])
    assert load_dataset("digits", limit=10**6).train.y.size == digits.train.y.size


def test_types_are_as_promised(digits: Dataset) -> None:
    for split in (digits.train, digits.validation, digits.test):
        assert split.x.dtype == np.uint8 and split.y.dtype == np.int64
        assert len(split) == len(split.x) and split.x.ndim == 4
