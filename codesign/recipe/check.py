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
    if recipe.ebops.beta:
        alone = kind == "phases" and not recipe.budget.binds
        require(("ebops", "a price", alone, "left out with a budget or another procedure"))
    if kind in ("niti", "local"):
        taught = recipe.distil.teacher
        require(("distil.teacher", taught, taught is None, f"left out for procedure {kind}"))


def check_levels(recipe: Recipe) -> None:
    """Raise ValueError where a step needs integers that a method of the recipe does not have."""
    quant = recipe.quant
    methods = [quant.weight_method, *map(quant.weight_method_of, quant.layers)]
    methods += [quant.act_method, *map(quant.act_method_of, quant.layers)]
    real = next((m.name for m in methods if m.real_levels), None)
    if real and "lower" in recipe.steps:
        rule = (
            f"true for quantiser {real!r}, whose levels are real numbers that no integer hardware "
            "has (or steps without 'lower' and all that needs it)"
        )
        require(("quant.power_of_two_step", False, quant.power_of_two_step, rule))


def check_pruned(recipe: Recipe) -> None:
    """Raise BadInput where pruned weights would not stay 0 behind their quantiser."""
    for path, spec in recipe.model.compact.items():
        if spec.method == "prune":
            below = (layer for layer in recipe.quant.layers if layer.startswith(f"{path}."))
            for layer in (path, *below):
                recipe.quant.check_pruned(layer)
