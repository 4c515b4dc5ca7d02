"""One process of a training under torchrun: a recipe, a folder, and the weights it ended with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from codesign.train.pipeline import run_recipe


def main(recipe: str, data: str, out: str) -> None:
    """Run `recipe` and save the network of this process as out/rank<n>.pt."""
    result = run_recipe(recipe, Path(out), quiet=False, data_dir=Path(data))
    rank = os.environ["RANK"]
    state = {"weights": result.trained.model.state_dict(), "graph": result.graph is not None}
    state["history"] = [epoch.train_loss for epoch in result.trained.history]
    torch.save(state, Path(out) / f"rank{rank}.pt")


if __name__ == "__main__":
    main(*sys.argv[1:])
