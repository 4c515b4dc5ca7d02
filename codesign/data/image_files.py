"""Pictures that stay in their files until a batch needs them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from codesign.errors import BadInput

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

SIDE = 224
# Of the usual evaluation: the shorter side becomes 256, the 224 pixels in the middle stay.
CENTRE = 224 / 256
# Part of the area and aspect of a random crop (Szegedy et al., CVPR 2015).
AREA = (0.08, 1.0)
ASPECT = (3 / 4, 4 / 3)
DRAWS = 4


@dataclass(frozen=True, eq=False)
class ImageFiles:
    """Pictures as an array uint8 (N, 3, side, side) of which nothing is in memory.

    An index (mask, integers, slice) gives other ImageFiles, `np.asarray` reads their pictures: the
    shorter side scaled to side * 256 / 224, then the middle. Raises BadInput for a damaged file.
    """

    paths: np.ndarray
    side: int = SIDE

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, 3, side, side)."""
        return (len(self), 3, self.side, self.side)

    def __getitem__(self, index: np.ndarray | slice) -> ImageFiles:
        return replace(self, paths=self.paths[index])

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self._read([self._centre] * len(self)).astype(dtype or np.uint8, copy=False)

    def sized(self, side: int) -> ImageFiles:
        """The same pictures with another side."""
        return replace(self, side=side)

    def random_crops(self, generator: torch.Generator) -> np.ndarray:
        """Each picture cropped at random, 8 to 100 % of its area, and scaled to `side`."""
        import torch

        draws = torch.rand(len(self), DRAWS, generator=generator).tolist()
        return self._read([self._cropped(draw) for draw in draws])

    def _read(self, scalings: Iterable[Callable[[Image], Image]]) -> np.ndarray:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            pictures = list(pool.map(_read, self.paths, scalings))
        # On strides of channels last torch 2.13 corrupts its heap in the backward pass of a ResNet.
        return np.ascontiguousarray(pictures, np.uint8).reshape(self.shape)

    def _centre(self, image: Image) -> Image:
        part = CENTRE * min(image.size)
        left, top = ((size - part) / 2 for size in image.size)
        return _scaled(image, (left, top, left + part, top + part), self.side)

    def _cropped(self, draw: list[float]) -> Callable[[Image], Image]:
        def crop(image: Image) -> Image:
            width, height = image.size
            area = width * height * (AREA[0] + (AREA[1] - AREA[0]) * draw[0])
            aspect = ASPECT[0] * (ASPECT[1] / ASPECT[0]) ** draw[1]
            wide, high = min(width, (area * aspect) ** 0.5), min(height, (area / aspect) ** 0.5)
            left, top = (width - wide) * draw[2], (height - high) * draw[3]
            return _scaled(image, (left, top, left + wide, top + high), self.side)

        return crop


def _scaled(image: Image, box: tuple[float, ...], side: int) -> Image:
    from PIL.Image import Resampling

    return image.resize((side, side), Resampling.BILINEAR, box)


def _read(path: Path, scaling: Callable[[Image], Image]) -> np.ndarray:
    """One picture, uint8 (3, side, side)."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            return np.asarray(scaling(image.convert("RGB"))).transpose(2, 0, 1)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise BadInput(
            f"{path}: is not a readable picture ({error}); fetch it again or take it out of its "
            "folder",
            path=str(path),
        ) from error
