"""Samples as tensors in memory: shuffled, augmented and scaled batches, the same for every run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from codesign.data.dataset import Split
from codesign.recipe import DataSpec
from codesign.train.parallel import processes, share


def to_input(pixels: np.ndarray | Tensor, input_max: int) -> Tensor:
    """Raw integers 0..input_max as the network's float32 input: q * float32(1 / input_max).

    The same product stands in the exported input quantiser, so q comes back exactly.
    """
    scale = torch.tensor(1 / input_max, dtype=torch.float32)
    return torch.as_tensor(np.asarray(pixels)).to(torch.float32) * scale


def epoch_generator(seed: int, epoch: int) -> torch.Generator:
    """Random numbers of one epoch, whatever was drawn before: a resumed run sees the same."""
    return torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)


def training_batches(
    split: Split, data: DataSpec, input_max: int, batch: int, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of shuffled (x, y): float32 (batch, C, H, W) and int64 (batch,).

    Of several processes each has its share of a batch. A last batch of a single sample is left out:
    batch normalisation needs two, in every process.
    """
    order = torch.randperm(len(split), generator=generator)
    for index in order.split(batch)[: batch_count(len(split), batch)]:
        part = split.take(index[share()].numpy())
        x = augmented(_pixels(part, data, generator), data, generator)
        yield to_input(x, input_max), torch.as_tensor(part.y)


def _pixels(part: Split, data: DataSpec, generator: torch.Generator) -> Tensor:
    """Raw images of a batch, from memory or from their files."""
    crops = "resized-crop" in data.augment
    return torch.as_tensor(part.x.random_crops(generator) if crops else np.asarray(part.x))


def batch_count(samples: int, batch: int) -> int:
    """Batches that `training_batches` yields."""
    return samples // batch + (samples % batch >= 2 * processes())


def plain_batches(
    split: Split, input_max: int, batch: int = 512
) -> Iterator[tuple[Tensor, Tensor]]:
    """The samples in their order, for evaluation."""
    for start in range(0, len(split), batch):
        part = split.take(slice(start, start + batch))
        yield to_input(part.x, input_max), torch.as_tensor(part.y)


def augmented(x: Tensor, data: DataSpec, generator: torch.Generator) -> Tensor:
    """Raw images (N, C, H, W) after the augmentations that `data` names."""
    if "flip" in data.augment:
        flip = torch.rand(len(x), generator=generator) < 0.5
        x = torch.where(flip[:, None, None, None], x.flip(3), x)
    if "crop" in data.augment:
        x = _moved(x, data.crop_pixels, generator)
    return x


def _moved(x: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Each image moved by up to `most` pixels in both directions; zeros come in from the edge."""
    count, channels, height, width = x.shape
    padded = functional.pad(x, (most, most, most, most))
    top, left = torch.randint(0, 2 * most + 1, (2, count), generator=generator)
    rows = (top[:, None] + torch.arange(height))[:, None, :, None]
    cols = (left[:, None] + torch.arange(width))[:, None, None, :]
    sample = torch.arange(count)[:, None, None, None]
    return padded[sample, torch.arange(channels)[None, :, None, None], rows, cols]
