"""Networks whose memory is counted, and the bytes of tensors."""

from __future__ import annotations

from collections.abc import Iterable

import torch

SHAPE = (1, 8, 8)
NETS = {
    "tfc": {"sizes": (24, 16)},
    "cnv": {"stages": ((8, 6), (12,)), "hidden": (20,)},
}


def bytes_of(tensors: Iterable[torch.Tensor]) -> int:
    """Their elements in the types that they have."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
