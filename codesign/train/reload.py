"""A trained network read back from the folder of its run."""

from __future__ import annotations

from pathlib import Path

import msgspec
from torch import nn

from codesign.data.dataset import Dataset
from codesign.errors import BadInput
from codesign.recipe import Recipe
from codesign.train.build import recipe_data, recipe_model
from codesign.train.checkpoint import load_checkpoint
from codesign.train.loop import Trainer

CONFIG_FILE = "config.json"


def trained_model(folder: Path, data_dir: Path | None = None) -> tuple[nn.Module, Dataset]:
    """The network of checkpoint.pt in `folder`, in evaluation mode, and its data.

    Raises BadInput when `folder` is not that of a run.
    """
    recipe = run_config(folder)
    data = recipe_data(recipe, data_dir)
    trainer = Trainer(recipe_model(recipe, data), data, recipe, folder)
    trainer.restore(load_checkpoint(folder, recipe))
    return trainer.model.eval(), data


def run_config(folder: Path) -> Recipe:
    """The recipe in config.json of `folder`; raises BadInput."""
    path = Path(folder) / CONFIG_FILE
    try:
        content = msgspec.json.decode(path.read_bytes())
        return msgspec.convert(content["recipe"], Recipe)
    except OSError as error:
        raise BadInput(
            f"{path}: cannot be read ({error.strerror}); give the folder of `codesign train`",
            path=str(path),
        ) from error
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path}: is not the configuration of a run ({error}); train again", path=str(path)
        ) from error
