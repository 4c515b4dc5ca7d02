"""Smaller pictures and fewer training images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from codesign.data.dataset import Split
from codesign.data.load import load_dataset
from codesign.errors import BadInput
from codesign.recipe import BoardSpec, DataSpec, ModelSpec, Recipe
from codesign.train.build import recipe_data


def test_pixels_are_means_of_squares():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (2, 3, 8, 4), dtype=np.uint8)
    data = replace(load_dataset("digits", limit=2), train=Split(x, np.zeros(2, dtype=np.int64)))
    small = data.shrunk(2).train.x
    assert small.shape == (2, 3, 4, 2) and small.dtype == np.uint8
    for n, c, h, w in np.ndindex(small.shape):
        mean = x[n, c, 2 * h : 2 * h + 2, 2 * w : 2 * w + 2].mean()
        assert abs(float(small[n, c, h, w]) - mean) <= 0.5
    with pytest.raises(BadInput, match="must divide height and width, found 3 for 8x4"):
        data.shrunk(3)


def test_a_recipe_limits_the_training_part_alone():
    whole = load_dataset("digits")
    spec = DataSpec("digits", train_limit=100, shrink=4)
    data = recipe_data(Recipe(model=ModelSpec("tfc"), data=spec, board=BoardSpec("pynq-z2")))
    assert len(data.train) == 100
    assert (len(data.validation), len(data.test)) == (len(whole.validation), len(whole.test))
    assert data.input_shape == (1, 2, 2)
