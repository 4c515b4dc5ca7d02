"""Checkpoints: everything a run needs to go on as if it had never stopped."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import msgspec
import torch

from codesign.errors import BadInput
from codesign.files import write_bytes_atomic
from codesign.recipe import Recipe
from codesign.recipe.procedures import SECTIONS as PROCEDURE_SECTIONS

FILE_NAME = "checkpoint.pt"
VERSION = 1


def save_checkpoint(folder: Path, recipe: Recipe, state: dict[str, Any]) -> Path:
    """Write `state` (tensors, numbers, strings, lists, dicts) to checkpoint.pt, whole or not at all.

    Raises BadInput when the folder cannot be written.
    """
    path = Path(folder) / FILE_NAME
    buffer = io.BytesIO()
    content = {"version": VERSION, "job": _job(recipe), "rng": torch.get_rng_state(), **state}
    torch.save(content, buffer)
    write_bytes_atomic(path, buffer.getvalue())
    return path


def load_checkpoint(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """The state that `save_checkpoint` wrote; random numbers go on where they stopped.

    Raises BadInput when there is none, when it is damaged, or when it is another recipe's.
    """
    path = Path(folder) / FILE_NAME
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise BadInput(
            f"{path}: there is no checkpoint to resume from; run without --resume", path=str(path)
        ) from error
    except Exception as error:  # a damaged archive can raise nearly anything
        raise BadInput(
            f"{path}: is not a whole checkpoint ({type(error).__name__}); remove it and run "
            "without --resume",
            path=str(path),
        ) from error
    _check(path, state, recipe)
    torch.set_rng_state(state["rng"])
    return state


def _sections(recipe: Recipe) -> dict[str, msgspec.Struct]:
    """What shapes every step of training; the board only where it does."""
    names = ["model", "data", "quant", "train", "budget", *PROCEDURE_SECTIONS]
    names += ["board", "target"] if recipe.budget.board else []
    return {name: getattr(recipe, name) for name in names}


def _job(recipe: Recipe) -> dict[str, str]:
    """These sections as text."""
    return {name: msgspec.json.encode(own).decode() for name, own in _sections(recipe).items()}


def _same(text: str | None, section: msgspec.Struct) -> bool:
    """Whether `text` means `section`; what an older program did not know has its default."""
    try:
        return msgspec.json.decode(text or "{}", type=type(section)) == section
    except msgspec.ValidationError:
        return False


def _check(path: Path, state: object, recipe: Recipe) -> None:
    if not isinstance(state, dict) or state.get("version") != VERSION:
        raise BadInput(f"{path}: is not a checkpoint of this program", path=str(path))
    own = _sections(recipe)
    changed = [name for name in own if not _same(state["job"].get(name), own[name])]
    if changed:
        raise BadInput(
            f"{path}: was written by a recipe that differs in [{'], ['.join(changed)}]; resume with "
            "that recipe, or run without --resume",
            path=str(path),
            changed=changed,
        )
