"""One whole job, and how it is read from its file."""

from __future__ import annotations

from pathlib import Path

import msgspec

from codesign.errors import BadInput
from codesign.files import package_data
from codesign.quant.config import QuantConfig
from codesign.recipe.check import check_levels, check_procedure, check_pruned
from codesign.recipe.ondevice import LocalSpec, NitiSpec, check_on_device
from codesign.recipe.procedures import (
    DistilSpec,
    EbopsSpec,
    FdqmpSpec,
    InqSpec,
    LimpqSpec,
    ProgressiveSpec,
    SurgerySpec,
)
from codesign.recipe.sections import BoardSpec, DataSpec, ModelSpec, TargetSpec
from codesign.recipe.training import BudgetSpec, TrainSpec
from codesign.rules import choice, require
from codesign.strict import load_toml, nearest

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
