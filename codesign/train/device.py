"""Where a network is trained: on a GPU where there is one, on the processor everywhere else."""

from __future__ import annotations

from itertools import chain

import torch
from torch import nn

from codesign.errors import BadInput


def chosen_device(wish: str) -> torch.device:
    """The device that "auto", "cpu" or "cuda" means here; raises BadInput without such a GPU."""
    if wish == "cuda" and not torch.cuda.is_available():
        raise BadInput(
            "[train] device is 'cuda', and torch finds no CUDA GPU here; choose 'auto' or 'cpu'",
            device=wish,
        )
    if wish == "auto":
        wish = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(wish)


def device_of(model: nn.Module) -> torch.device:
    """Where the parameters of `model` lie, or its buffers where it has no parameters."""
    tensors = chain(model.parameters(), model.buffers())
    return next((tensor.device for tensor in tensors), torch.device("cpu"))
