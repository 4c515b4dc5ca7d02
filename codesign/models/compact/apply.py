"""Compact layers in the place of those that a recipe names."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from codesign.errors import BadInput
from codesign.models.compact.layers import METHODS
from codesign.recipe.compact import CompactSpec

WEIGHTED = (nn.Linear, nn.Conv2d)


def compacted(model: nn.Module, specs: Mapping[str, CompactSpec]) -> nn.Module:
    """The float `model` with the layers below each path of `specs` made compact; changes `model`.

    A path is that of a Linear or Conv2d, or of a module above them; the longest one that covers a
    layer counts. Raises BadInput for a path without such layers and a layer that cannot be so.
    """
    names = [name for name, module in model.named_modules() if isinstance(module, WEIGHTED)]
    for path in specs:
        if not any(_covers(path, name) for name in names):
            raise BadInput(
                f"[model.compact] names {path!r}, which is or holds no Linear or Conv2d of "
                f"{type(model).__name__}; it has {', '.join(names)}",
                path=path,
            )
    for name in names:
        paths = [path for path in specs if _covers(path, name)]
        if paths:
            _replace(model, name, specs[max(paths, key=len)])
    return model


def _covers(path: str, name: str) -> bool:
    return name == path or name.startswith(f"{path}.")


def _replace(model: nn.Module, name: str, spec: CompactSpec) -> None:
    parent, _, attribute = name.rpartition(".")
    holder = model.get_submodule(parent)
    try:
        compact = METHODS[spec.method](getattr(holder, attribute), spec.ratio)
    except BadInput as error:
        raise BadInput(
            f"{name}, compact by {spec.method}: {error.message}", layer=name, **error.fields
        ) from error
    setattr(holder, attribute, compact)
