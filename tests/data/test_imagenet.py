"""Pictures in files: what is read, how they are scaled, and what is refused."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from codesign.data.image_files import ImageFiles
from codesign.data.load import load_dataset
from codesign.errors import BadInput
from codesign.recipe import DataSpec
from codesign.train.batches import training_batches


@pytest.fixture
def folder(tmp_path):
    """data/imagenet with two classes of 6 and 2 pictures; class 0 dark, class 1 bright."""
    for part, count in (("train", 6), ("val", 2)):
        for label, name in enumerate(("n01", "n02")):
            own = tmp_path / "imagenet" / part / name
            own.mkdir(parents=True)
            for number in range(count):
                pixels = np.full((12, 16, 3), 200 * label + number, np.uint8)
                Image.fromarray(pixels).save(own / f"{number}.png")
    return tmp_path


def test_parts_and_classes(folder):
    data = load_dataset("imagenet", folder, validation_fraction=1 / 3)
    assert data.classes == ("n01", "n02")
    assert data.input_shape == (3, 224, 224) and data.input_max == 255
    assert [len(part) for part in (data.train, data.validation, data.test)] == [8, 4, 4]
    small = data.sized(8)
    assert isinstance(small.train.x, ImageFiles)
    x = np.asarray(small.test.x)
    assert x.shape == (4, 3, 8, 8) and x.dtype == np.uint8
    assert x[:, 0, 0, 0].tolist() == [0, 1, 200, 201]
    assert small.test.y.tolist() == [0, 0, 1, 1]
    seen = {*small.train.x.paths, *small.validation.x.paths}
    assert len(seen) == 12


def test_the_middle_is_kept(tmp_path):
    """A picture of 256 by 320 at side 224: the middle 224 by 224 pixels themselves."""
    pixels = np.random.default_rng(0).integers(0, 256, (256, 320, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    found = np.asarray(ImageFiles(np.array([tmp_path / "a.png"], object)))[0]
    assert np.array_equal(found.transpose(1, 2, 0), pixels[16:240, 48:272])


def test_random_crops_lie_inside_and_depend_on_the_generator(tmp_path):
    ramp = np.broadcast_to(np.arange(40, 140, dtype=np.uint8)[None, :, None], (80, 100, 3))
    Image.fromarray(np.ascontiguousarray(ramp)).save(tmp_path / "a.png")
    files = ImageFiles(np.array([tmp_path / "a.png"] * 30, object), 16)
    crops = [files.random_crops(torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert np.array_equal(crops[0], crops[1]) and not np.array_equal(crops[0], crops[2])
    assert crops[0].min() >= 40 and crops[0].max() <= 139
    left, right = crops[0][:, 0, 8, 0].astype(int), crops[0][:, 0, 8, -1].astype(int)
    # The ramp counts columns: widths of the crops, from 8 % of the area to all of it.
    assert (right - left).min() < 45 and (right - left).max() > 60 and len(set(left)) > 10


def test_batches_read_their_own_pictures_only(folder):
    data = load_dataset("imagenet", folder, validation_fraction=1 / 3).sized(8)
    generator = torch.Generator().manual_seed(0)
    batches = list(training_batches(data.train, DataSpec(), 255, 4, generator))
    assert [x.shape for x, _ in batches] == [(4, 3, 8, 8)] * 2
    assert all(((x[:, 0, 0, 0] > 0.5) == (y == 1)).all() for x, y in batches)


def _no_validation(folder):
    shutil.rmtree(folder / "imagenet" / "val")


def _other_classes(folder):
    (folder / "imagenet" / "val" / "n02").rename(folder / "imagenet" / "val" / "n03")


def _no_pictures(folder):
    for path in (folder / "imagenet" / "train" / "n01").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_no_validation, "val: no such folder; it must hold a folder of pictures"),
        (_other_classes, r"must have the classes of train/ \(2\)"),
        (_no_pictures, "n01: holds no pictures"),
        (lambda folder: shutil.rmtree(folder / "imagenet"), "must hold imagenet/"),
    ],
)
def test_missing_files(folder, spoil, words):
    spoil(folder)
    with pytest.raises(BadInput, match=words):
        load_dataset("imagenet", folder)


def test_a_damaged_picture_is_named(folder):
    path = folder / "imagenet" / "val" / "n01" / "0.png"
    path.write_bytes(path.read_bytes()[:40])
    data = load_dataset("imagenet", folder)
    with pytest.raises(BadInput, match=r"n01/0\.png: is not a readable picture"):
        np.asarray(data.test.x)


def test_side_and_crops_belong_to_files():
    with pytest.raises(BadInput, match="image_size is for pictures in files"):
        load_dataset("digits").sized(32)
