"""Projection: from learned widths to integer widths that fit by the estimator.

Learning under multipliers comes near the budgets; only this step guarantees them. Widths are made
narrower one quantiser at a time, the one that loses least for what it saves, until search and
estimate of the exported network say that it fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import torch
from torch import Tensor
from torch.nn import functional

from codesign.quant.handles import QuantHandle
from codesign.train.batches import to_input
from codesign.train.budget import Budget, Widths
from codesign.train.evaluate import logits_of
from codesign.train.loop import Trainer

ROUNDS = 12
SAMPLES = 512
LEAST_RISE = 1e-4


class Projection(msgspec.Struct, frozen=True):
    """What projection did: `narrowed` maps a quantiser to (bits before, bits after).

    `learned_fits` says whether the learned widths fitted by themselves; `excess` holds what each
    budget is overdrawn by at the end, relative to it (empty when everything fits), and `least` the
    demand that was reached for each of these.
    """

    learned_fits: bool
    fits: bool
    narrowed: dict[str, tuple[int, int]]
    excess: dict[str, float]
    least: dict[str, float] = {}

    def then(self, later: Projection) -> Projection:
        """This projection and a later one of the same network as one."""
        narrowed = dict(self.narrowed)
        for name, (before, after) in later.narrowed.items():
            narrowed[name] = (narrowed.get(name, (before,))[0], after)
        return Projection(self.learned_fits, later.fits, narrowed, later.excess, later.least)

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        if self.fits and not self.narrowed:
            return "The learned widths fit all budgets as they are."
        moves = ", ".join(f"{name} {a} to {b} bits" for name, (a, b) in self.narrowed.items())
        text = f"Projected onto the budgets: {moves or 'nothing could be made narrower'}."
        over = ", ".join(
            f"{key} by {100 * gap:.0f} %{self._least(key)}" for key, gap in self.excess.items()
        )
        return text if self.fits else f"{text} Still over budget: {over}."

    def _least(self, key: str) -> str:
        return f" (the least is {self.least[key]:,.4g})" if key in self.least else ""


def project(trainer: Trainer, among: Sequence[int] | None = None) -> Projection:
    """Make the widths of the trained network integers that meet all budgets of its recipe.

    With the board in the budget each round exports the network and searches a folding, so that the
    verdict is the estimator's own. Quantisers `among` these indices may move (default: those that
    learn their width). What cannot fit is a result.
    """
    budget = trainer.budget
    among = trainer.learned if among is None else among
    start = [h.integer_bits() for h in trainer.handles]
    first = over = measured(trainer, budget)
    for _ in range(ROUNDS):
        if not over or not _narrow(trainer, budget, among):
            break
        over = measured(trainer, budget)
    ends = zip(trainer.handles, start, strict=True)
    moved = {_label(h): (b, h.integer_bits()) for h, b in ends if h.integer_bits() != b}
    limits = budget.limits
    least = {key: (1 + gap) * limits[key] for key, gap in over.items()}
    return Projection(not first, not over, moved, over, least)


def _label(handle: QuantHandle) -> str:
    return f"{handle.name} ({handle.role})"


@torch.no_grad()
def measured(trainer: Trainer, budget: Budget) -> dict[str, float]:
    """What is over budget, by the sizes and by a new search and estimate."""
    if budget.board is not None:
        budget.board.refresh(trainer.model)
    over = {key: float(value) for key, value in budget.excess(_integer(trainer)).items()}
    return {key: value for key, value in over.items() if value > 1e-9}


def _integer(trainer: Trainer) -> Widths:
    bits = torch.tensor([float(h.integer_bits()) for h in trainer.handles])
    return Widths(bits, bits)


@torch.no_grad()
def _narrow(trainer: Trainer, budget: Budget, among: Sequence[int]) -> bool:
    """Narrow quantisers until the tables say it fits; False when none can be made narrower."""
    losses = Losses(trainer)
    moved = False
    while not (moved and _overdraft(budget, _integer(trainer).mean) <= 0):
        moves = list(_moves(trainer, budget, losses, among))
        if not moves:
            return moved
        *_, index, width = max(moves)
        trainer.handles[index].set_bits(width)
        moved = True
    return True


def _moves(
    trainer: Trainer, budget: Budget, losses: Losses, among: Sequence[int]
) -> Iterator[tuple[bool, float, int, int]]:
    """(helps, merit, handle, width) of every narrower width of one quantiser.

    Where a step saves of what is overdrawn, its merit is the saving per rise of the loss; where
    none does alone, as block RAM comes in pieces, the one that costs least goes first.
    """
    bits = _integer(trainer).mean
    here = _overdraft(budget, bits)
    for index in among:
        for width in range(trainer.handles[index].least_bits, int(bits[index])):
            narrower = bits.clone()
            narrower[index] = width
            saved = here - _overdraft(budget, narrower)
            rise = max(losses.rise(index, width), LEAST_RISE)
            yield saved > 0, saved / rise if saved > 0 else -rise, index, width


def _overdraft(budget: Budget, bits: Tensor) -> float:
    """Sum of what is overdrawn, relative to the budgets."""
    return sum(max(float(g), 0.0) for g in budget.excess(Widths(bits, bits)).values())


class Losses:
    """Loss on some training samples when one quantiser is narrower, all others as they are."""

    def __init__(self, trainer: Trainer) -> None:
        split = trainer.data.train.take(slice(SAMPLES))
        self.trainer = trainer
        self.x = to_input(split.x, trainer.data.input_max)
        self.y = torch.as_tensor(split.y)
        self.known: dict[tuple[int, int], float] = {}
        self.here = self._loss()

    def rise(self, index: int, width: int) -> float:
        """Rise of the loss when handle `index` has `width` bits."""
        if (index, width) not in self.known:
            handle = self.trainer.handles[index]
            before = [p.detach().clone() for p in handle.parameters()]
            bits = handle.integer_bits()
            handle.set_bits(width)
            self.known[index, width] = self._loss() - self.here
            handle.set_bits(bits)
            for parameter, value in zip(handle.parameters(), before, strict=True):
                parameter.data.copy_(value)
        return self.known[index, width]

    def _loss(self) -> float:
        model = self.trainer.model
        was_training = model.training
        model.eval()
        logits = logits_of(model, self.x)
        loss = float(functional.cross_entropy(logits, self.y.to(logits.device)))
        model.train(was_training)
        return loss
