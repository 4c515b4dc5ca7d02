"""What a recipe says of a procedure that is more than learning widths under a budget.

`[train] procedure` names the procedure; a section of the same name holds what is its own.
"""

from __future__ import annotations

import msgspec

from codesign.rules import choice, require

PROCEDURES = ("phases", "inq", "fdqmp", "niti", "local")
SECTIONS = ("inq", "fdqmp", "niti", "local")
PARTITIONS = ("largest", "random")


class InqSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """INQ (codesign/train/inq.py): accumulated `portions` of each layer's weights, the last one 1.

    `partition` "largest" fixes the largest weights first (pruning-inspired), "random" any;
    after each portion but the last `step_epochs` of retraining follow.
    """

    portions: tuple[float, ...] = (0.5, 0.75, 0.875, 1.0)
    partition: str = "largest"
    step_epochs: int = 4

    def __post_init__(self) -> None:
        p = self.portions
        rising = bool(p) and 0 < p[0] and list(p) == sorted(set(p)) and p[-1] == 1
        require(
            ("portions", list(p), rising, "rising portions over 0 that end with 1"),
            choice("partition", self.partition, PARTITIONS),
            ("step_epochs", self.step_epochs, self.step_epochs >= 1, "at least 1"),
        )

    @property
    def epochs(self) -> int:
        """Epochs of retraining over all portions."""
        return self.step_epochs * (len(self.portions) - 1)


class FdqmpSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """FDQMP (codesign/train/fdqmp.py): step and range move every `quantiser_every`-th batch.

    The penalty is `beta` times `strength` times the squared excess in kB; beta rises from
    `first_beta` to 1 over the first half of the search.
    """

    quantiser_every: int = 20
    strength: float = 1e-4
    first_beta: float = 0.01

    def __post_init__(self) -> None:
        require(
            ("quantiser_every", self.quantiser_every, self.quantiser_every >= 1, "at least 1"),
            ("strength", self.strength, self.strength > 0, "over 0"),
            ("first_beta", self.first_beta, 0 < self.first_beta <= 1, "over 0 and at most 1"),
        )
