"""One process of trainings under torchrun: recipes, their folders, and the weights they ended with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from codesign.train.parallel import group
from codesign.train.pipeline import run_recipe


def main(data: str, *recipes: str) -> None:
    """Run each recipe into the folder of its name without .toml; this network lies there as rank<n>.pt."""
    with group("cpu"):  # once for all: torchrun's processes meet a single time
        for recipe in map(Path, recipes):
            out = recipe.with_suffix("")
            result = run_recipe(recipe, out, quiet=False, data_dir=Path(data))
            state = {"weights": result.trained.model.state_dict()}
            state["graph"] = result.graph is not None
            state["history"] = [epoch.train_loss for epoch in result.trained.history]
            torch.save(state, out / f"rank{os.environ['RANK']}.pt")


if __name__ == "__main__":
    main(*sys.argv[1:])
