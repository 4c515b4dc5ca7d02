"""What a recipe says of training: its epochs and rates, and the budgets that act in them."""

from __future__ import annotations

import msgspec

from codesign.recipe.procedures import PROCEDURES
from codesign.rules import choice, require

OPTIMISERS = ("adam", "sgd", "rmsprop")
SCHEDULES = ("cosine", "constant")
DEVICES = ("auto", "cpu", "cuda")
PENALTIES = ("dual", "hinge")
QUANTISER_OPTIMISERS = ("relative", "network")


class TrainSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Three phases, then one network: hold, learn, finetune.

    In the `hold_epochs` the widths stay where they begin and no budget acts; in the `epochs` widths
    are learned under the budgets; before the `finetune_epochs` the widths are projected onto the
    board and fixed. `lr` follows `schedule` over hold and learn together, after
    `warmup_epochs` of linear rise; the finetune phase starts from `finetune_lr` (default: a tenth).
    `quantiser_lr` is the largest relative change of a step or range per batch; with
    `quantiser_optimiser` "network" it is the rate of the network's own optimiser on them instead,
    with `clip_quantiser_gradients` on gradients clipped to +-step (DQ, FDQMP).
    Warm-up may be fractions of an epoch. `procedure` names another way through the epochs, whose
    section of the recipe holds what is its own. `device` "auto" is a GPU where torch finds one.
    """

    procedure: str = "phases"
    epochs: int = 20
    hold_epochs: int = 0
    finetune_epochs: int = 0
    batch: int = 128
    optimiser: str = "adam"
    lr: float = 1e-3
    finetune_lr: float | None = None
    quantiser_lr: float = 0.01
    quantiser_optimiser: str = "relative"
    clip_quantiser_gradients: bool = False
    momentum: float = 0.9
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    schedule: str = "cosine"
    warmup_epochs: float = 0.0
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        require(
            *(
                (key, getattr(self, key), getattr(self, key) >= 0, "at least 0")
                for key in ("hold_epochs", "finetune_epochs", "weight_decay", "warmup_epochs")
            ),
            ("epochs", self.epochs, self.epochs >= 1, "at least 1"),
            ("batch", self.batch, self.batch >= 2, "at least 2"),
            *(
                (key, rate, rate is None or 0 < rate < 100, "over 0 and below 100")
                for key, rate in (("lr", self.lr), ("finetune_lr", self.finetune_lr))
            ),
            ("quantiser_lr", self.quantiser_lr, self.quantiser_lr >= 0, "at least 0"),
            *(
                (key, getattr(self, key), 0 <= getattr(self, key) < 1, "at least 0 and below 1")
                for key in ("momentum", "label_smoothing")
            ),
            ("seed", self.seed, 0 <= self.seed < 2**31, "from 0 to 2^31 - 1"),
            choice("procedure", self.procedure, PROCEDURES),
            choice("optimiser", self.optimiser, OPTIMISERS),
            choice("quantiser_optimiser", self.quantiser_optimiser, QUANTISER_OPTIMISERS),
            choice("schedule", self.schedule, SCHEDULES),
            choice("device", self.device, DEVICES),
        )

    @property
    def total_epochs(self) -> int:
        """Epochs of all phases."""
        return self.hold_epochs + self.epochs + self.finetune_epochs


class BudgetSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What learning must respect: memory of the network, and the resources of the board.

    `weights_kib`, `activations_sum_kib` and `activations_max_kib` are the constraints (8a), (8b)
    and (8c) of DQ in KiB of 1024 bytes; `board` adds the estimated LUTs, block RAMs, ... of the
    accelerator under the folding that the search found, which is renewed every `refresh_epochs`.
    With `penalty` "dual" `rho` is its stiffness and `dual_rate` the rate of the multipliers, both on
    the relative excess; "hinge" adds `hinge_lambda` times the squared excess in KiB (DQ), for memory
    alone. `margin` tightens the budgets while learning.
    """

    board: bool = False
    weights_kib: float | None = None
    activations_sum_kib: float | None = None
    activations_max_kib: float | None = None
    penalty: str = "dual"
    hinge_lambda: float = 0.1
    lambda0: float = 0.0
    rho: float = 1.0
    dual_rate: float = 1.0
    refresh_epochs: int = 3
    margin: float = 0.0

    def __post_init__(self) -> None:
        require(
            *((key, kib, kib > 0, "over 0") for key, kib in self.memory.items()),
            *(
                (key, getattr(self, key), getattr(self, key) >= 0, "at least 0")
                for key in ("lambda0", "dual_rate")
            ),
            choice("penalty", self.penalty, PENALTIES),
            ("hinge_lambda", self.hinge_lambda, self.hinge_lambda > 0, "over 0"),
            ("board", self.board, self.penalty == "dual" or not self.board, "false for a hinge"),
            ("rho", self.rho, self.rho > 0, "over 0"),
            ("refresh_epochs", self.refresh_epochs, self.refresh_epochs >= 1, "at least 1"),
            ("margin", self.margin, 0 <= self.margin < 1, "at least 0 and below 1"),
        )

    @property
    def binds(self) -> bool:
        """True when there is anything to respect."""
        return self.board or bool(self.memory)

    @property
    def memory(self) -> dict[str, float]:
        """The memory constraints that are set: key -> KiB."""
        keys = ("weights_kib", "activations_sum_kib", "activations_max_kib")
        return {key: getattr(self, key) for key in keys if getattr(self, key) is not None}
