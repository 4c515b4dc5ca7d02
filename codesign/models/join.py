"""Places in a network that only a quantiser needs to see: residual additions, linear outputs."""

from __future__ import annotations

from torch import Tensor, nn


class Join(nn.Module):
    """x + y of two branches of the same shape.

    Quantised, both branches pass through ONE shared quantiser first (`quantiser`), so that the
    hardware adds integers of one scale. Use it in your own networks instead of `+`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.quantiser: nn.Module = nn.Identity()

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.quantiser(x) + self.quantiser(y)


class Signed(nn.Identity):
    """Marks an output without activation; quantised, it becomes a signed quantiser."""
