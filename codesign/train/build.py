"""The data and the network that a recipe names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from codesign.data.dataset import Dataset
from codesign.data.image_files import ImageFiles
from codesign.data.load import load_dataset
from codesign.errors import BadInput
from codesign.models.registry import build_model, float_model
from codesign.ondevice.convert import integer_network
from codesign.recipe import Recipe

# Images whose mean pixel an integer network takes from all.
MEAN_IMAGES = 1024


def recipe_data(recipe: Recipe, data_dir: Path | None = None) -> Dataset:
    """Train, validation and test parts; official files lie in `data_dir` or CODESIGN_DATA.

    Raises BadInput when they cannot be read or a part is too small to train with.
    """
    spec = recipe.data
    data = load_dataset(
        spec.name, data_dir, spec.validation_fraction, recipe.train.seed, spec.limit
    )
    if spec.image_size is not None:
        data = data.sized(spec.image_size)
    if "resized-crop" in spec.augment and not isinstance(data.train.x, ImageFiles):
        raise BadInput(
            f"data {spec.name}: augment resized-crop is for pictures in files (imagenet); use crop",
            data=spec.name,
        )
    if spec.train_limit is not None:
        data = data.train_limited(spec.train_limit, recipe.train.seed)
    if spec.shrink > 1:
        data = data.shrunk(spec.shrink)
    if len(data.train) < 2 or not len(data.test):
        raise BadInput(
            f"data {spec.name}: training needs at least 2 images and 1 test image, found "
            f"{len(data.train)} and {len(data.test)}; raise [data] limit",
            data=spec.name,
        )
    return data


def recipe_model(recipe: Recipe, data: Dataset) -> nn.Module:
    """The quantised network before training; every random number follows from the seed.

    Procedure "niti" has a network of integers. Raises BadInput for an unknown model or option and
    for a checkpoint that does not suit it.
    """
    torch.manual_seed(recipe.train.seed)
    if recipe.train.procedure == "niti":
        return _integer_model(recipe, data)
    return build_model(
        recipe.model.name,
        data.input_shape,
        data.class_count,
        recipe.quant,
        input_max=data.input_max,
        checkpoint=recipe.model.checkpoint,
        compact=recipe.model.compact,
        **recipe.model.options,
    )


def _integer_model(recipe: Recipe, data: Dataset) -> nn.Module:
    spec = recipe.model
    model = float_model(spec.name, data.input_shape, data.class_count, **spec.options)
    generator = torch.Generator().manual_seed(recipe.train.seed)
    mean = round(float(np.mean(np.asarray(data.train.take(slice(MEAN_IMAGES)).x))))
    shape, quant = data.input_shape, recipe.quant
    return integer_network(model, shape, quant, data.input_max, generator, mean)
