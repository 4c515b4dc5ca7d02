"""What a recipe says of a procedure that is more than learning widths under a budget.

`[train] procedure` names the procedure; a section of the same name holds what is its own. The
section [distil] goes with any of them.
"""

from __future__ import annotations

import msgspec

from codesign.rules import choice, require

PROCEDURES = ("phases", "inq", "inq-dns", "fdqmp", "progressive", "limpq", "niti", "local")
SECTIONS = ("inq", "surgery", "fdqmp", "progressive", "limpq", "distil", "niti", "local", "ebops")
PARTITIONS = ("largest", "random")
IMPORTANCES = ("steps", "gradients")


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


class SurgerySpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Dynamic network surgery (codesign/train/surgery.py), `epochs` of it before INQ.

    Weights below 0.9 t of their layer are cut, those above 1.1 t spliced back, t = mean|W| +
    `rate` std|W|; masks move with a batch with the probability (1 + `gamma` batches)^-`power`.
    """

    epochs: int = 8
    rate: float = 1.0
    gamma: float = 1e-4
    power: float = 1.0

    def __post_init__(self) -> None:
        require(
            ("epochs", self.epochs, self.epochs >= 1, "at least 1"),
            ("rate", self.rate, -10 < self.rate < 10, "over -10 and below 10"),
            ("gamma", self.gamma, self.gamma >= 0, "at least 0"),
            ("power", self.power, self.power >= 0, "at least 0"),
        )


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


class ProgressiveSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Progressive precision (codesign/train/progressive.py): falling `widths`, then those of [quant].

    Each takes `step_epochs`. `freeze_rounds` of `freeze_epochs` follow the last width, each with a
    further share of the most unstable layers frozen (PROFIT).
    """

    widths: tuple[int, ...] = (8, 5)
    step_epochs: int = 4
    freeze_rounds: int = 0
    freeze_epochs: int = 4

    def __post_init__(self) -> None:
        w = self.widths
        falling = bool(w) and list(w) == sorted(set(w), reverse=True)
        legal = falling and w[0] <= 8 and w[-1] >= 2
        require(
            ("widths", list(w), legal, "falling widths from 8 to 2 bits, at least one"),
            ("step_epochs", self.step_epochs, self.step_epochs >= 1, "at least 1"),
            ("freeze_rounds", self.freeze_rounds, self.freeze_rounds >= 0, "at least 0"),
            ("freeze_epochs", self.freeze_epochs, self.freeze_epochs >= 1, "at least 1"),
        )

    @property
    def before(self) -> int:
        """Epochs at the widths above those of [quant]."""
        return self.step_epochs * len(self.widths)

    @property
    def epochs(self) -> int:
        """Epochs beside those of [train]."""
        return self.before + self.freeze_rounds * self.freeze_epochs


class LimpqSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One-shot allocation (codesign/train/limpq.py): every layer gets one of `widths`, by one ILP.

    In `passes` over the training part each width learns its steps. `importance` of a width is its
    learned step ("steps") or the squared gradient times the squared error of rounding
    ("gradients"); that of activations counts `act_factor` times.
    """

    widths: tuple[int, ...] = (2, 3, 4, 5, 6)
    passes: int = 1
    importance: str = "steps"
    act_factor: float = 1.0

    def __post_init__(self) -> None:
        w = self.widths
        rising = len(w) > 1 and list(w) == sorted(set(w)) and w[0] >= 2 and w[-1] <= 8
        require(
            ("widths", list(w), rising, "rising widths from 2 to 8 bits, at least two"),
            ("passes", self.passes, self.passes >= 1, "at least 1"),
            choice("importance", self.importance, IMPORTANCES),
            ("act_factor", self.act_factor, self.act_factor > 0, "over 0"),
        )


class DistilSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knowledge distillation (codesign/train/distil.py): labels and a teacher's outputs together.

    `teacher` is "float" (the recipe's network without quantisation, trained first for `epochs`),
    the folder of a run, or a file of weights of the float network; without it nothing is distilled.
    `weight` is the teacher's share of the loss, `temperature` softens both outputs.
    """

    teacher: str | None = None
    epochs: int = 20
    temperature: float = 4.0
    weight: float = 0.5

    def __post_init__(self) -> None:
        require(
            ("epochs", self.epochs, self.epochs >= 1, "at least 1"),
            ("temperature", self.temperature, 0 < self.temperature < 1000, "over 0, below 1000"),
            ("weight", self.weight, 0 < self.weight <= 1, "over 0 and at most 1"),
        )


class EbopsSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A price of bit operations (codesign/train/ebops.py): loss + beta EBOPs, for learned widths.

    Over the epochs that learn widths beta rises from `first_beta` to `beta` by equal factors; 0,
    the default, is no price.
    """

    beta: float = 0.0
    first_beta: float = 1e-9

    def __post_init__(self) -> None:
        ordered = 0 < self.first_beta <= self.beta or not self.beta
        require(
            ("beta", self.beta, 0 <= self.beta < 1e3, "at least 0 and below 1000"),
            ("first_beta", self.first_beta, ordered, "over 0 and at most beta"),
        )
