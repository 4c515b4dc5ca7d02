"""Which sections of a recipe go with which procedure of training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codesign.rules import require

if TYPE_CHECKING:
    from codesign.recipe import Recipe


def check_procedure(recipe: Recipe) -> None:
    """Raise ValueError for sections that a procedure has no use for, or lacks."""
    kind = recipe.train.procedure
    if kind in ("inq", "inq-dns"):
        weights = recipe.quant.weight_quantiser or recipe.quant.quantiser
        require(
            ("quant.weight_quantiser", weights, weights == kind, f"{kind} for procedure {kind}")
        )
    if kind in ("inq", "inq-dns", "progressive"):
        others = recipe.train.hold_epochs + recipe.train.finetune_epochs
        require(
            ("hold_epochs and finetune_epochs", others, others == 0, f"0 for procedure {kind}"),
            ("budget", "a budget", not recipe.budget.binds, f"left out for procedure {kind}"),
        )
    if kind == "fdqmp":
        memory = bool(recipe.budget.memory) and not recipe.budget.board
        require(("budget", "no such budget", memory, "weights_kib, activations_.._kib or both"))
    if kind == "limpq":
        dual = recipe.budget.binds and recipe.budget.penalty == "dual"
        require(("budget", "no such budget", dual, "given, without a hinge, for procedure limpq"))
    if kind in ("niti", "local"):
        taught = recipe.distil.teacher
        require(("distil.teacher", taught, taught is None, f"left out for procedure {kind}"))
