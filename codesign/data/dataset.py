"""A classification data set whose three parts are kept apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from codesign.data.image_files import ImageFiles
from codesign.errors import BadInput

# The seed that separates a test part where the source has none: the same images in every run.
TEST_SEED = 0
TEST_FRACTION = 0.2


@dataclass(frozen=True)
class Split:
    """Images `x`, uint8 (N, C, H, W), in memory or in their files, and classes `y`, int64 (N,)."""

    x: np.ndarray | ImageFiles
    y: np.ndarray

    def __len__(self) -> int:
        return len(self.y)

    def take(self, index: np.ndarray | slice) -> Split:
        """The samples that a NumPy index or mask names, in that order."""
        return Split(self.x[index], self.y[index])

    def shrunk(self, factor: int) -> Split:
        """Means of `factor` by `factor` pixels."""
        x = np.asarray(self.x)
        n, c, h, w = x.shape
        blocks = x.reshape(n, c, h // factor, factor, w // factor, factor)
        return Split(np.rint(blocks.mean(axis=(3, 5))).astype(x.dtype), self.y)


@dataclass(frozen=True)
class Dataset:
    """Train, validation and test parts of one source.

    Pixels are integers 0 .. `input_max`. `mean` and `std` are those of x / input_max on the whole
    official training part, one per channel, where published.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    input_max: int = 255
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    @property
    def class_count(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one sample."""
        return tuple(self.train.x.shape[1:])

    def limited(self, limit: int, seed: int) -> Dataset:
        """At most `limit` samples a part: drawn by class for training, the first ones for test."""
        return replace(
            self,
            train=_drawn(self.train, limit, seed),
            validation=_drawn(self.validation, limit, seed),
            test=self.test.take(slice(limit)),
        )

    def train_limited(self, limit: int, seed: int) -> Dataset:
        """At most `limit` training samples, drawn by class; the other parts as they are."""
        return replace(self, train=_drawn(self.train, limit, seed))

    def sized(self, side: int) -> Dataset:
        """Images read from files with another side; raises BadInput for others."""
        if not isinstance(self.train.x, ImageFiles):
            raise BadInput(
                f"data {self.name}: image_size is for pictures in files (imagenet); use shrink",
                key="image_size",
            )
        parts = {name: getattr(self, name) for name in ("train", "validation", "test")}
        sized = {name: Split(part.x.sized(side), part.y) for name, part in parts.items()}
        return replace(self, **sized)

    def shrunk(self, factor: int) -> Dataset:
        """Every `factor` by `factor` pixels become their mean, rounded to an integer.

        Raises BadInput unless the factor divides height and width.
        """
        if any(size % factor for size in self.input_shape[1:]):
            raise BadInput(
                f"data {self.name}: shrink must divide height and width, found {factor} for "
                f"{self.input_shape[1]}x{self.input_shape[2]}",
                key="shrink",
                found=factor,
            )
        parts = {
            name: getattr(self, name).shrunk(factor) for name in ("train", "validation", "test")
        }
        return replace(self, **parts)


class Source(NamedTuple):
    """What a file format gives; `test` is None where the source keeps no test part."""

    name: str
    train: Split
    test: Split | None
    classes: tuple[str, ...]
    input_max: int = 255
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def split(self, validation_fraction: float, seed: int) -> Dataset:
        """Separate the validation part (and a test part if there is none) from the training part.

        Raises BadInput when the fraction is outside [0, 1).
        """
        if not 0 <= validation_fraction < 1:
            raise BadInput(
                f"validation fraction must be at least 0 and below 1, found {validation_fraction}",
                key="validation_fraction",
                found=validation_fraction,
            )
        train, test = self.train, self.test
        if test is None:
            train, test = _separated(train, TEST_FRACTION, TEST_SEED)
        train, validation = _separated(train, validation_fraction, seed)
        return Dataset(self.name, train, validation, test, *self[3:])


def stratified(y: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """A mask (N,) that is true for `fraction` of the samples of each class, rounded by class."""
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        members = np.flatnonzero(y == label)
        chosen[rng.permutation(members)[: round(fraction * len(members))]] = True
    return chosen


def _separated(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """(the rest, `fraction` of it), both in the order of the source."""
    chosen = stratified(split.y, fraction, seed)
    return split.take(~chosen), split.take(chosen)


def _drawn(split: Split, limit: int, seed: int) -> Split:
    if len(split) <= limit:
        return split
    chosen = np.flatnonzero(stratified(split.y, limit / len(split), seed))
    return split.take(chosen[:limit])
