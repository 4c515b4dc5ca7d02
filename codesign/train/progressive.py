"""Progressive precision: wide first, then narrower, and at the end the unstable layers frozen first.

"PROFIT: A Novel Training Method for sub-4-bit MobileNet Models" (Park and Yoo, ECCV 2020) goes from
8 to 5 to 4 bits and then freezes, round by round, the layers whose outputs their own weights move
most (codesign/train/instability.py); the rest trains on undisturbed. Every stage has new
optimisers and the full curve of the learning rate. A layer that [quant] leaves wider than a stage
keeps its width.
"""

from __future__ import annotations

from torch import nn

from codesign.errors import BadInput
from codesign.train.instability import Instability, most_unstable
from codesign.train.loop import Stage, Trainer


def train_progressive(trainer: Trainer) -> None:
    """Stages at falling widths, one at those of [quant], and the rounds of freezing.

    Raises BadInput where widths are learned, or where a quantiser cannot have one of them.
    """
    spec, train = trainer.recipe.progressive, trainer.recipe.train
    if trainer.learned:
        raise BadInput(
            "[train] procedure 'progressive' gives the widths, and this quantiser learns them; "
            "choose one of given width, such as quantiser 'fixed'",
            quantiser=trainer.recipe.quant.quantiser,
        )
    for number, width in enumerate(spec.widths):
        start = number * spec.step_epochs
        _stage(trainer, start, spec.step_epochs, width)
    watch = [Instability(trainer)] if spec.freeze_rounds else []
    trainer.after_epoch += watch
    _stage(trainer, spec.before, train.epochs, 0)
    trainer.after_epoch = [call for call in trainer.after_epoch if call not in watch]
    for number in range(1, spec.freeze_rounds + 1):
        start = spec.before + train.epochs + (number - 1) * spec.freeze_epochs
        _freeze(trainer, number / (spec.freeze_rounds + 1))
        _stage(trainer, start, spec.freeze_epochs, 0)
    trainer.fix_widths()
    trainer.save()


def _stage(trainer: Trainer, start: int, epochs: int, width: int) -> None:
    """Train `epochs` with no quantiser narrower than `width` bits."""
    if trainer.done <= start:
        set_widths(trainer, width)
    rate, warmup = trainer.recipe.train.lr, trainer.recipe.train.warmup_epochs
    trainer.run(Stage(start, start + epochs, rate, learns=True, warmup_epochs=warmup))


def set_widths(trainer: Trainer, least: int) -> None:
    """Give every quantiser its width of [quant], or `least` bits where that is more."""
    for handle, own in zip(trainer.handles, trainer.first_bits, strict=True):
        bits = max(own, least)
        if handle.role != "input" and handle.integer_bits() != bits:
            handle.narrow(bits)


def _freeze(trainer: Trainer, share: float) -> None:
    """Stop the weights and steps of that share of the layers, the most unstable ones."""
    modules: dict[str, nn.Module] = dict(trainer.model.named_modules())
    chosen = most_unstable(trainer, share)
    for handle in trainer.handles:
        if handle.role == "weight" and handle.name in chosen:
            modules[handle.name].weight.requires_grad_(False)
            handle.freeze()
    trainer.remark(
        f"PROFIT: frozen first, as their weights move their outputs most: {', '.join(chosen)}"
    )
