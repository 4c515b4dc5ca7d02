"""Recipes: model, data, training, board and target of one job, read strictly from a TOML file.

Every key has a default but [model] name and [board] name. A key that is not known, a value of the
wrong type and a value that cannot be end in BadInput, which names the file, the key and the cure.
"""

from codesign.recipe.job import STEPS, Recipe, load_recipe, recipe_names
from codesign.recipe.sections import BoardSpec, DataSpec, ModelSpec, TargetSpec
from codesign.recipe.training import DEVICES, BudgetSpec, TrainSpec

__all__ = [
    "DEVICES",
    "STEPS",
    "BoardSpec",
    "BudgetSpec",
    "DataSpec",
    "ModelSpec",
    "Recipe",
    "TargetSpec",
    "TrainSpec",
    "load_recipe",
    "recipe_names",
]
