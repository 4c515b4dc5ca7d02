"""What one epoch of training left behind."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from codesign.quant.handles import QuantHandle
from codesign.report.data import EpochPart


class Epoch(EpochPart, frozen=True, kw_only=True):
    """One epoch: the report's record with what a study of the run needs beside it.

    `lr` is the learning rate of the last batch; `excess` and `multipliers` belong to the budgets by
    name, the excess relative to the budget; `act_bits` maps a layer to its mean activation bits.
    """

    lr: float = 0.0
    excess: dict[str, float] = msgspec.field(default_factory=dict)
    multipliers: dict[str, float] = msgspec.field(default_factory=dict)
    act_bits: dict[str, float] = msgspec.field(default_factory=dict)


def mean_bits(handles: Sequence[QuantHandle], role: str) -> dict[str, float]:
    """Layer -> mean bits of its quantiser of `role` ("weight" or "act")."""
    return {h.name: round(float(h.bits().detach()), 3) for h in handles if h.role == role}


def summary(epoch: Epoch, total: int) -> str:
    """One line for a person who watches the training."""
    parts = [f"epoch {epoch.epoch:3d}/{total} {epoch.phase:10s} loss {epoch.train_loss:.4f}"]
    if epoch.validation_accuracy is not None:
        parts.append(f"validation {epoch.validation_accuracy:.2%}")
    if epoch.bits:
        parts.append(f"weights {sum(epoch.bits.values()) / len(epoch.bits):.2f} bits")
    if epoch.excess:
        worst = max(epoch.excess, key=epoch.excess.__getitem__)
        parts.append(f"{worst} {1 + epoch.excess[worst]:.0%} of budget")
    return "  ".join([*parts, f"{epoch.seconds:.1f} s"])
