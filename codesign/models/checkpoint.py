"""Weights from a file into a network, float or quantised."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from codesign.errors import BadInput, reason
from codesign.quant.handles import handles

QUANTISER_KEYS = (".tensor_quant.", "._zero_hw_sentinel")


def load_checkpoint(model: nn.Module, path: Path) -> nn.Module:
    """Load a state_dict into `model`; raises BadInput when the file or its keys do not fit.

    The file may be `torch.save(model.state_dict())`, or a mapping with it under "model" or
    "state_dict". A float checkpoint has no quantiser keys: steps are then calibrated anew from its
    weights and from the first training batch.
    """
    state = _read(path)
    quantised = any(part in key for key in state for part in QUANTISER_KEYS)
    problem = _mismatch(model, state)
    if problem:
        raise BadInput(
            f"{path}: the checkpoint does not fit {type(model).__name__} ({problem}); build the "
            "model with the options it was trained with",
            path=str(path),
        )
    model.load_state_dict(state, strict=False)
    if not quantised:
        for handle in handles(model):
            handle.quantiser.recalibrate()
    return model


def _mismatch(model: nn.Module, state: dict[str, torch.Tensor]) -> str:
    own = model.state_dict()
    missing = [k for k in own if k not in state and not any(p in k for p in QUANTISER_KEYS)]
    extra = [key for key in state if key not in own]
    shapes = [k for k in state if k in own and state[k].shape != own[k].shape]
    found = (("missing", missing), ("unknown", extra), ("of another shape", shapes))
    return "; ".join(f"{what}: {', '.join(keys[:4])}" for what, keys in found if keys)


def _read(path: Path) -> dict[str, torch.Tensor]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged archive can raise nearly anything
        raise BadInput(
            f"{path}: not a readable torch checkpoint ({reason(error)}); save one with "
            "torch.save(model.state_dict(), path)",
            path=str(path),
        ) from error
    for key in ("model", "state_dict"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict) or not all(torch.is_tensor(v) for v in content.values()):
        raise BadInput(f"{path}: holds no state_dict (names with tensors)", path=str(path))
    return content
