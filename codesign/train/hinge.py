"""Memory budgets by a squared hinge with a fixed factor, as DQ and FDQMP published them."""

from __future__ import annotations

import torch
from torch import Tensor

from codesign.train.budget import MEMORY, Budget, learned_widths


class Hinge(Budget):
    """lambda sum_j max(0, g_j)^2 with g_j = size - budget in KiB and lambda = `hinge_lambda`.

    "Mixed Precision DNNs" (Uhlich et al., ICLR 2020): lambda = 0.1 for (8a), (8b) and (8c). A fixed
    factor finds a balance outside the budget; projection closes the gap after learning.
    """

    # Bytes of a KiB over those of the unit of g.
    units_per_kib = 1.0

    @property
    def factor(self) -> float:
        """What the squares are multiplied by."""
        return self.spec.hinge_lambda

    def penalty(self) -> Tensor:
        bits = learned_widths(self.handles).mean
        room = 1 - self.spec.margin
        over = [
            torch.relu(self.units_per_kib * (MEMORY[key](self.handles, bits) - room * limit))
            for key, limit in self.spec.memory.items()
        ]
        return self.factor * torch.stack(over).square().sum()

    @torch.no_grad()
    def ascend(self) -> dict[str, float]:
        """The relative excesses; there are no multipliers to move."""
        return {key: float(value) for key, value in self.excess().items()}
