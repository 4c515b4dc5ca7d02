"""Numbers that quantisers are tried on."""

from __future__ import annotations

import torch


def samples(*shape: int, seed: int = 0) -> torch.Tensor:
    """Normal numbers, the same ones for the same seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
