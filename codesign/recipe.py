"""Recipes: model, data, training, board and target of one job, read strictly from a TOML file.

Every key has a default but [model] name and [board] name. A key that is not known, a value of the
wrong type and a value that cannot be end in BadInput, which names the file, the key and the cure.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from codesign.board import Board, load_board
from codesign.errors import BadInput
from codesign.files import package_data
from codesign.quant.config import QuantConfig
from codesign.recipe_check import check_levels, check_procedure, check_pruned
from codesign.recipe_compact import CompactSpec
from codesign.recipe_ondevice import LocalSpec, NitiSpec, check_on_device
from codesign.recipe_procedures import (
    PROCEDURES,
    DistilSpec,
    EbopsSpec,
    FdqmpSpec,
    InqSpec,
    LimpqSpec,
    ProgressiveSpec,
    SurgerySpec,
)
from codesign.rules import choice, require
from codesign.strict import load_toml, nearest

Option = bool | int | float | str | list[int | float | str | list[int]]

STEPS = ("train", "export", "lower", "check", "estimate", "table", "simulate", "report")
# What each step reads from steps before it.
NEEDS = {
    "export": ("train",),
    "check": ("export", "lower"),
    "lower": ("export",),
    "estimate": ("lower",),
    "table": ("lower",),
    "simulate": ("estimate",),
}
OPTIMISERS = ("adam", "sgd", "rmsprop")
SCHEDULES = ("cosine", "constant")
DEVICES = ("auto", "cpu", "cuda")
PENALTIES = ("dual", "hinge")
QUANTISER_OPTIMISERS = ("relative", "network")
AUGMENTATIONS = ("flip", "crop", "resized-crop")


class ModelSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A built-in network or "package.module:Class"; `options` go to it as keyword arguments.

    `checkpoint` is a file of weights (torch state dict) to begin with. `compact` maps the path of a
    layer, or of a module above layers, to the way it is made compact from these weights.
    """

    name: str
    checkpoint: str | None = None
    options: dict[str, Option] = {}
    compact: dict[str, CompactSpec] = {}


class DataSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A data set by name, an .npz file, a folder, or "package.module:function".

    `limit` keeps that many samples of each part, `train_limit` of the training part alone; `shrink`
    s takes the mean of every s by s pixels. `augment` names what is done to training images:
    "flip" (left-right), "crop" (moved by up to `crop_pixels` behind an edge of zeros), and for
    pictures in files "resized-crop" (8 to 100 % of the area), whose side is `image_size`.
    """

    name: str = "digits"
    limit: int | None = None
    train_limit: int | None = None
    shrink: int = 1
    validation_fraction: float = 0.1
    augment: tuple[str, ...] = ()
    crop_pixels: int = 4
    image_size: int | None = None

    def __post_init__(self) -> None:
        require(
            *(
                (key, size, size is None or size >= least, f"at least {least}")
                for key, size, least in (
                    ("limit", self.limit, 1),
                    ("train_limit", self.train_limit, 1),
                    ("image_size", self.image_size, 8),
                )
            ),
            ("shrink", self.shrink, self.shrink >= 1, "at least 1"),
            (
                "validation_fraction",
                self.validation_fraction,
                0 < self.validation_fraction < 1,
                "over 0 and below 1",
            ),
            ("crop_pixels", self.crop_pixels, self.crop_pixels >= 1, "at least 1"),
            *(choice("augment", name, AUGMENTATIONS) for name in self.augment),
        )


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


class BoardSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A board by name or TOML file; `share` is the portion of it that this job may use."""

    name: str
    share: float = 1.0
    clock_hz: float | None = None

    def __post_init__(self) -> None:
        require(
            ("share", self.share, 0 < self.share <= 1, "over 0 and at most 1"),
            ("clock_hz", self.clock_hz, self.clock_hz is None or self.clock_hz > 0, "over 0"),
        )

    def load(self) -> Board:
        """The board with its share and clock; raises BadInput."""
        board = load_board(self.name)
        if self.share < 1:
            board = board.share(self.share)
        return msgspec.structs.replace(board, clock_hz=self.clock_hz or board.clock_hz)


class TargetSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the accelerator must reach; with neither, the largest fps that fits.

    With `pad_channels` channel counts may be rounded up for a better folding. `folding` names a
    file of PE and SIMD (FINN's folding configuration) instead of a search.
    """

    fps: float | None = None
    latency_s: float | None = None
    pad_channels: bool = False
    folding: str | None = None

    def __post_init__(self) -> None:
        both = self.fps is not None and self.latency_s is not None
        require(
            ("fps", self.fps, self.fps is None or self.fps > 0, "over 0"),
            ("latency_s", self.latency_s, self.latency_s is None or self.latency_s > 0, "over 0"),
            ("fps", self.fps, not both, "left out where latency_s is given"),
            (
                "pad_channels",
                self.pad_channels,
                not (self.pad_channels and self.folding),
                "left out where a folding is given",
            ),
        )


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One whole job; `steps` leaves out what is not wanted, in the order of STEPS."""

    title: str = ""
    model: ModelSpec
    data: DataSpec = DataSpec()
    quant: QuantConfig = QuantConfig()
    train: TrainSpec = TrainSpec()
    inq: InqSpec = InqSpec()
    surgery: SurgerySpec = SurgerySpec()
    fdqmp: FdqmpSpec = FdqmpSpec()
    niti: NitiSpec = NitiSpec()
    local: LocalSpec = LocalSpec()
    progressive: ProgressiveSpec = ProgressiveSpec()
    limpq: LimpqSpec = LimpqSpec()
    distil: DistilSpec = DistilSpec()
    ebops: EbopsSpec = EbopsSpec()
    budget: BudgetSpec = BudgetSpec()
    board: BoardSpec
    target: TargetSpec = TargetSpec()
    steps: tuple[str, ...] = STEPS

    def __post_init__(self) -> None:
        for step in self.steps:
            require(choice("steps", step, STEPS))
            for needed in NEEDS.get(step, ()):
                known = needed in self.steps
                require(
                    ("steps", list(self.steps), known, f"with {needed!r}, which {step!r} needs")
                )
        ordered = tuple(step for step in STEPS if step in self.steps)
        rule = f"in the order {', '.join(ordered)}, each once"
        require(("steps", list(self.steps), self.steps == ordered, rule))
        check_on_device(self)
        check_procedure(self)
        check_levels(self)
        check_pruned(self)

    @property
    def total_epochs(self) -> int:
        """Epochs of the whole procedure."""
        extra = {
            "inq": self.inq.epochs,
            "inq-dns": self.surgery.epochs + self.inq.epochs,
            "progressive": self.progressive.epochs,
        }
        return self.train.total_epochs + extra.get(self.train.procedure, 0)

    def with_seed(self, seed: int) -> Recipe:
        """The same job from another seed; raises BadInput."""
        try:
            train = msgspec.structs.replace(self.train, seed=seed)
        except ValueError as error:
            raise BadInput(str(error), key="seed", found=seed) from error
        return msgspec.structs.replace(self, train=train)


def recipe_names() -> list[str]:
    """Names of the shipped recipes, sorted."""
    return sorted(path.stem for path in package_data("flows").glob("*.toml"))


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe from a file, or a shipped one by its name.

    Raises BadInput that names file and key, what was found and what must hold.
    """
    path = Path(path)
    if path.suffix != ".toml" and not path.exists():
        if path.name not in recipe_names():
            hint = nearest(path.name, recipe_names())
            raise BadInput(
                f"recipe {str(path)!r} is neither a .toml file nor a shipped recipe{hint}",
                recipe=str(path),
            )
        path = package_data("flows") / f"{path.name}.toml"
    try:
        recipe = load_toml(path, Recipe)
        recipe.board.load()
        return recipe
    except BadInput as error:
        if "path" in error.fields:
            raise
        raise BadInput(f"{path}: {error.message}", path=str(path), **error.fields) from error
