"""Recipes: the whole job, training only, export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from codesign.api.common import path_of

if TYPE_CHECKING:
    from codesign.train.export import ExportResult
    from codesign.train.pipeline import RunResult


def run(
    recipe: str | Path,
    out: str | Path,
    resume: bool = False,
    seed: int | None = None,
    data_dir: str | Path | None = None,
    quiet: bool = True,
) -> RunResult:
    """Do the whole job of a recipe (a file or the name of a shipped one) into the folder `out`.

    Raises BadInput, UnsupportedLayer, Diverged, and Interrupted on Ctrl-C.
    """
    from codesign.train.pipeline import run_recipe

    return run_recipe(recipe, Path(out), resume, quiet, path_of(data_dir), seed)


def train(
    recipe: str | Path,
    out: str | Path,
    resume: bool = False,
    seed: int | None = None,
    data_dir: str | Path | None = None,
    quiet: bool = True,
) -> RunResult:
    """Only train: `out` holds config.json and checkpoint.pt, which `export` takes.

    Raises BadInput, Diverged, and Interrupted on Ctrl-C.
    """
    from codesign.train.pipeline import run_recipe

    return run_recipe(recipe, Path(out), resume, quiet, path_of(data_dir), seed, steps=("train",))


def export(
    folder: str | Path, out: str | Path | None = None, data_dir: str | Path | None = None
) -> ExportResult:
    """Write model.onnx (QONNX) and golden pairs of the checkpoint in `folder` to `out`.

    `out` is `folder` itself unless given. Raises BadInput.
    """
    from codesign.train.reload import trained_model
    from codesign.train.stages import export_model

    model, data = trained_model(Path(folder), path_of(data_dir))
    return export_model(model, data, Path(out or folder))
