"""Learned widths against uniform widths under the budget of a board, over several seeds.

    python -m codesign.train.budget_study mnist_tfc-budget_icebreaker --seeds 3 --out runs/budget

Every uniform width is first estimated with the recipe's own board and target; those that fit are
trained for as many epochs as the learned network. The test accuracy is that of the last epoch.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import msgspec
import torch

from codesign.errors import CodesignError
from codesign.files import write_bytes_atomic, write_text_atomic
from codesign.intervals import half_interval
from codesign.quant.handles import handles
from codesign.recipe import BudgetSpec, Recipe, load_recipe
from codesign.train.batches import to_input
from codesign.train.board_demand import exported_graph
from codesign.train.build import recipe_data, recipe_model
from codesign.train.progress import Watcher
from codesign.train.training import Trained, train_recipe


class Row(msgspec.Struct, frozen=True):
    """One design: `bits` in words, demand and budget by resource, test accuracy of each seed.

    `accuracies` is empty for a width that does not fit and was therefore not trained.
    """

    name: str
    bits: str
    fits: bool
    demand: dict[str, float]
    accuracies: tuple[float, ...] = ()

    @property
    def mean(self) -> float:
        """Mean test accuracy over the seeds, 0..1."""
        return mean(self.accuracies)

    @property
    def half_interval(self) -> float:
        """Half of the 95 % confidence interval of the mean (Student's t)."""
        return half_interval(self.accuracies)


class Study(msgspec.Struct, frozen=True):
    """All rows, widest uniform width first and the learned network last."""

    title: str
    board: str
    budget: dict[str, float]
    rows: tuple[Row, ...]
    seconds: float

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        *uniform, learned = self.rows
        fitting = [row for row in uniform if row.accuracies and row.fits]
        if not fitting:
            return (
                f"No uniform width fits; learned widths {'fit' if learned.fits else 'do not fit'}."
            )
        best = max(fitting, key=lambda row: row.mean)
        return (
            f"Learned widths {'fit' if learned.fits else 'do NOT fit'} and reach {learned.mean:.2%}; "
            f"the best uniform width that fits ({best.name}) reaches {best.mean:.2%}."
        )

    def markdown(self) -> str:
        """The table, with the resources that some design overdraws."""
        kinds = [
            k for k, limit in self.budget.items() if any(r.demand.get(k, 0) for r in self.rows)
        ]
        head = ["design", "bits", *(f"{k} of {self.budget[k]:g}" for k in kinds), "fits", "test"]
        lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
        for row in self.rows:
            counts = [f"{row.demand.get(kind, 0):.0f}" for kind in kinds]
            accuracy = f"{row.mean:.2%} ± {row.half_interval:.2%}" if row.accuracies else "-"
            cells = [row.name, row.bits, *counts, "yes" if row.fits else "no", accuracy]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines)


def run_study(
    recipe: Recipe,
    out: Path,
    seeds: int,
    widths: Sequence[int],
    watcher: Watcher,
    data_dir: Path | None = None,
) -> Study:
    """Train every uniform width that fits, and the recipe itself, with seeds 0 .. seeds - 1."""
    began = time.perf_counter()
    rows = []
    for bits in widths:
        uniform = uniform_recipe(recipe, bits)
        row = _untrained_row(uniform, bits, data_dir)
        watcher.line(f"uniform {bits} bits: {'fits' if row.fits else 'does not fit'}")
        folder = out / f"uniform{bits}"
        rows.append(
            _trained_row(uniform, row, folder, seeds, watcher, data_dir) if row.fits else row
        )
    start = Row("learned", "", True, {})
    rows.append(_trained_row(recipe, start, out / "learned", seeds, watcher, data_dir))
    board = recipe.board.load()
    seconds = time.perf_counter() - began
    return Study(recipe.title, board.title, board.budget().flat(), tuple(rows), seconds)


def uniform_recipe(recipe: Recipe, bits: int) -> Recipe:
    """The same job with all weights and activations at `bits` bits, for as many epochs."""
    change = msgspec.structs.replace
    quant = change(recipe.quant, weight_bits=bits, act_bits=bits, quantiser="fixed", layers={})
    train = change(recipe.train, epochs=recipe.train.total_epochs, hold_epochs=0, finetune_epochs=0)
    return change(recipe, quant=quant, train=train, budget=BudgetSpec())


def _untrained_row(recipe: Recipe, bits: int, data_dir: Path | None) -> Row:
    """The plan of the network before training, calibrated on one batch."""
    data = recipe_data(recipe, data_dir)
    model = recipe_model(recipe, data).train()
    model(to_input(data.train.x[: recipe.train.batch], data.input_max))
    return _planned(Row(f"uniform {bits}", f"W{bits} A{bits}", False, {}), recipe, model, data)


def _trained_row(
    recipe: Recipe, row: Row, out: Path, seeds: int, watcher: Watcher, data_dir: Path | None
) -> Row:
    """`row` with the accuracy of each seed; demand, bits and verdict of the worst seed."""
    found = []
    for seed in range(seeds):
        trained = train_recipe(
            recipe.with_seed(seed), out / f"seed{seed}", False, watcher, data_dir
        )
        planned = _planned(row, recipe, trained.model, trained.data)
        watcher.line(f"{row.name}, seed {seed}: test {trained.test_accuracy:.2%}, {_bits(trained)}")
        found.append((planned, trained))
    accuracies = tuple(trained.test_accuracy for _, trained in found)
    worst = next((planned for planned, _ in found if not planned.fits), found[0][0])
    bits = row.bits or "; ".join(dict.fromkeys(_bits(trained) for _, trained in found))
    return msgspec.structs.replace(worst, bits=bits, accuracies=accuracies)


def _planned(row: Row, recipe: Recipe, model: torch.nn.Module, data: object) -> Row:
    from codesign.search.plan import plan

    graph = exported_graph(model, data.input_shape)
    found = plan(graph, recipe.board.load(), recipe.target.fps, recipe.target.latency_s)
    demand = found.estimate.total.flat()
    return msgspec.structs.replace(row, fits=found.fits, demand=demand)


def _bits(trained: Trained) -> str:
    """Widths in order of execution, such as "W2 A3 W2 A3 W4"."""
    letters = {"weight": "W", "act": "A"}
    return " ".join(
        f"{letters[h.role]}{h.integer_bits()}" for h in handles(trained.model) if h.role in letters
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; prints the table and writes study.json and study.md to the out folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", help="a .toml file, or the name of a shipped recipe")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--widths", type=int, nargs="+", default=range(8, 0, -1))
    parser.add_argument("--data", type=Path, default=None)
    options = parser.parse_args(arguments)
    try:
        recipe = load_recipe(options.recipe)
        study = run_study(
            recipe, options.out, options.seeds, options.widths, Watcher(), options.data
        )
        write_bytes_atomic(options.out / "study.json", msgspec.json.encode(study))
        write_text_atomic(options.out / "study.md", f"{study.markdown()}\n\n{study.sentence}\n")
    except CodesignError as error:
        print(error.message, file=sys.stderr)
        return error.exit_code
    print(f"{study.markdown()}\n\n{study.sentence}\n\n{study.seconds:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
