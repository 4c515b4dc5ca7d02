"""One-shot allocation: learn what every width costs each layer, then choose all widths at once.

LIMPQ (Tang et al., ECCV 2022): `hold_epochs` at the widths of [quant], the importances of
codesign/train/indicators.py, one integer linear program (codesign/train/allocate.py) under the
budgets, and the `epochs` of [train] at the widths it chose. The paper's budget is bit operations;
here it is the recipe's: memory in KiB, or the resources of the board under the folding that the
search found (tables of codesign/train/demand_tables.py). Memory is met exactly; for the board
folding and allocation alternate, and projection has the last word. Layers that [quant] layers
names keep their widths.

The importance of a width is the step of LSQ that was learned at it, so only quantisers with such a
step get one: "fixed" and "lsq+". Methods that learn widths (u1-u3, p1-p3, hgq) choose them themselves;
the range of pact, sat and apot is moved by what lies outside of it, whatever the width, and says
nothing of rounding; the others learn no scale.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import torch

from codesign.errors import BadInput
from codesign.quant.float_quantiser import FLOAT_BITS
from codesign.quant.lsq import LsqQuantiser
from codesign.train.allocate import Need, allocate
from codesign.train.budget import BITS_PER_KIB, Budget, check_reach
from codesign.train.indicators import Fisher, Steps
from codesign.train.loop import Stage, Trainer
from codesign.train.phases import keep, kept
from codesign.train.project import Projection, measured, project

FOLDINGS = 4
BITS = range(1, 9)

Costs = list[dict[int, float]]


def train_limpq(trainer: Trainer) -> Projection:
    """Hold, measure, allocate, train. Raises BadInput for budgets that no widths meet."""
    spec = trainer.recipe.train
    items = movable(trainer)
    check_reach(trainer.recipe.budget, trainer.handles, _narrowest(trainer, items))
    trainer.run(Stage(0, spec.hold_epochs, spec.lr, True, warmup_epochs=spec.warmup_epochs))
    projection = kept(trainer) or keep(trainer, _allocated(trainer, items))
    stop = spec.hold_epochs + spec.epochs
    rate, warmup = spec.lr, spec.warmup_epochs
    trainer.run(Stage(spec.hold_epochs, stop, rate, learns=True, warmup_epochs=warmup))
    trainer.fix_widths()
    trainer.save()
    return projection


def movable(trainer: Trainer) -> list[int]:
    """Indices of the handles that get a width."""
    named = tuple(f"{layer}." for layer in trainer.recipe.quant.layers)
    found = [
        index
        for index, handle in enumerate(trainer.handles)
        if isinstance(handle.quantiser, LsqQuantiser) and not f"{handle.name}.".startswith(named)
    ]
    if not found:
        raise BadInput(
            "[train] procedure 'limpq' judges widths by steps that are learned at each of them, "
            f"and quantiser {trainer.recipe.quant.quantiser!r} has none (its widths are learned, or "
            "its scale does not depend on the width); choose 'fixed' or 'lsq+' for weights, "
            "activations or both, and leave some layers out of [quant] layers",
            quantiser=trainer.recipe.quant.quantiser,
        )
    return found


def _narrowest(trainer: Trainer, items: list[int]) -> torch.Tensor:
    least = trainer.recipe.limpq.widths[0]
    bits = [least if i in items else own for i, own in enumerate(trainer.first_bits)]
    return torch.tensor([float(b) for b in bits])


def _allocated(trainer: Trainer, items: list[int]) -> Projection:
    """Measure, choose and set all widths."""
    spec = trainer.recipe.limpq
    trainer.watcher.line(
        f"limpq: importance of {len(items)} quantisers at {len(spec.widths)} widths"
    )
    steps = Steps(trainer, items, spec.widths)
    steps.learn(spec.passes)
    costs = importances(trainer, steps)
    for _ in range(FOLDINGS if trainer.budget.board else 1):
        over = measured(trainer, trainer.budget)
        chosen = allocate(costs, list(needs(trainer.budget)))
        if chosen is None:  # under this folding; a narrower network may have a better one
            chosen = [min(own) for own in costs]
        settled = not over and chosen == [h.integer_bits() for h in trainer.handles]
        steps.use({item: chosen[item] for item in items})
        if settled:
            break
    total = sum(costs[i][chosen[i]] for i in items)
    trainer.remark(
        f"LIMPQ: the widths with the least importance ({total:.4g}, by {spec.importance})."
    )
    return _moved(trainer, project(trainer, items))


def importances(trainer: Trainer, steps: Steps) -> Costs:
    """Width -> importance for every handle; a given width costs nothing."""
    spec = trainer.recipe.limpq
    fisher = Fisher(steps).measure() if spec.importance == "gradients" else {}
    costs: Costs = [{own: 0.0} for own in trainer.first_bits]
    for item in steps.items:
        factor = spec.act_factor if trainer.handles[item].role == "act" else 1.0
        costs[item] = {
            width: factor * fisher.get((item, width), steps.size(item, width))
            for width in spec.widths
        }
    return costs


def needs(budget: Budget) -> Iterator[Need]:
    """The budgets as linear needs of the widths of all handles."""
    memory = budget.spec.memory
    for key, role in (("weights_kib", "weight"), ("activations_sum_kib", "act")):
        if key in memory:
            sizes = [(i, _kib(h.numel)) for i, h in enumerate(budget.handles) if h.role == role]
            yield Need(key, memory[key], alone=tuple(sizes))
    if "activations_max_kib" in memory:
        for i, handle in enumerate(budget.handles):
            if handle.role == "act":
                yield Need(
                    handle.name, memory["activations_max_kib"], alone=((i, _kib(handle.numel)),)
                )
    if budget.board is not None:
        yield from board_needs(budget)


def board_needs(budget: Budget) -> Iterator[Need]:
    """A need for each resource, from the tables around the folding of now."""
    content = budget.board.content
    for number, kind in enumerate(content.kinds):
        alone, together = [], []
        for table in content.tables:
            rows = {(w, a): table.change[w - 1][a - 1][number] for w in BITS for a in BITS}
            if table.weight >= 0 and table.act >= 0:
                together.append(((table.weight, table.act), rows))
            else:
                item, by_weight = max(table.weight, table.act), table.weight >= 0
                own = {b: rows[(b, 1) if by_weight else (1, b)] for b in BITS}
                alone.append((item, own))
        limit = max(budget.board.limits[kind], 1.0)
        yield Need(kind, limit, content.plan[number], tuple(alone), tuple(together))


def _kib(elements: int) -> dict[int, float]:
    """KiB at every width that a quantiser may have, one that does not quantise included."""
    return {bits: elements * bits / BITS_PER_KIB for bits in (*BITS, int(FLOAT_BITS))}


def _moved(trainer: Trainer, projection: Projection) -> Projection:
    """`projection` with all moves counted from the widths of [quant]."""
    pairs = zip(trainer.handles, trainer.first_bits, strict=True)
    moves = {
        f"{h.name} ({h.role})": (own, h.integer_bits())
        for h, own in pairs
        if h.integer_bits() != own
    }
    return msgspec.structs.replace(projection, narrowed=moves)
