"""INQ: train, then quantise a portion of every layer for good and retrain what is free, to the end.

"Incremental Network Quantization" (Zhou et al., ICLR 2017). Every portion begins with the full
learning rate and new optimisers; the last one, 100 %, is not followed by training.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from codesign.quant.inq import InqQuantiser
from codesign.quant.inq_code import code_bits
from codesign.train.batches import epoch_generator
from codesign.train.loop import Stage, Trainer, learn_stage

Layer = tuple[InqQuantiser, Tensor]


def train_inq(trainer: Trainer) -> None:
    """Float training for `epochs`, then a step for each portion of the recipe's [inq]."""
    trainer.run(learn_stage(trainer.recipe.train))
    train_portions(trainer, trainer.recipe.train.epochs)
    trainer.remark(code_sentence(trainer.model))
    trainer.save()


def train_portions(trainer: Trainer, start: int) -> None:
    """The portions one after the other from epoch `start` on; in the end all weights are held."""
    spec, train = trainer.recipe.inq, trainer.recipe.train
    for portion in spec.portions:
        fix_portion(trainer, portion)
        if portion < 1:
            stop = start + spec.step_epochs
            trainer.run(Stage(start, stop, train.lr, True, warmup_epochs=train.warmup_epochs))
            start = stop
    trainer.fix_widths()


def layers(model: nn.Module) -> list[Layer]:
    """Quantiser and weight of every layer under INQ, in order."""
    proxies = (m for m in model.modules() if hasattr(m, "weight_quant"))
    found = ((getattr(m.weight_quant, "quantiser", None), m.weight) for m in proxies)
    return [(q, weight) for q, weight in found if isinstance(q, InqQuantiser)]


def fix_portion(trainer: Trainer, portion: float) -> None:
    """Quantise weights of every layer for good, until `portion` of those not cut is."""
    spec, seed = trainer.recipe.inq, trainer.recipe.train.seed
    for number, (quantiser, weight) in enumerate(layers(trainer.model)):
        whole = quantiser.cut + portion * (1 - quantiser.cut)
        quantiser.fix(weight, whole, _order(weight, spec.partition, seed, number))


def _order(weight: Tensor, partition: str, seed: int, layer: int) -> Tensor:
    """Positions of the weights of a layer, the first to be fixed first."""
    if partition == "largest":
        return weight.detach().abs().flatten().argsort(descending=True, stable=True)
    order = torch.randperm(weight.numel(), generator=epoch_generator(seed, layer))
    return order.to(weight.device)


@torch.no_grad()
def code_sentence(model: nn.Module) -> str:
    """The size of INQ's variable-length code over all layers, in words."""
    count = length = zeros = 0
    for quantiser, weight in layers(model):
        values = quantiser.quantise(weight).cpu().numpy()
        count, zeros = count + values.size, zeros + int(np.sum(values == 0))
        length += code_bits(values, int(quantiser.width))
    return (
        f"INQ: {count:,} weights, {zeros / count:.1%} of them 0, take {length / 8192:.2f} KiB in "
        f"their variable-length code, {length / count:.2f} bits each: {32 * count / length:.1f} "
        "times less than float32"
    )
