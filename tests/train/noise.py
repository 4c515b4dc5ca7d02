"""A few steps on noise, which a small network can only learn by heart."""

from __future__ import annotations

import torch
from torch import nn

from codesign.quant.handles import handles


def learn(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor, steps: int, lr: float = 0.01
) -> list[float]:
    """Steps of Adam over all of `x`, its quantisers kept legal; the loss before each."""
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        loss = nn.functional.cross_entropy(model(x), y)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        for handle in handles(model):
            handle.clip_()
        losses.append(loss.item())
    return losses
