"""INQ + dynamic network surgery: float training, surgery, then INQ on the weights that are left.

Masks and thresholds: codesign/quant/surgery.py (Guo, Yao and Chen, NeurIPS 2016). "Incremental
Network Quantization" (Zhou et al., ICLR 2017) joins both and states the compression: 32 bits a
weight over the length of its code, where a cut weight takes the one bit of a zero. Portions count
the weights that are kept.
"""

from __future__ import annotations

from codesign.quant.surgery import SurgeryQuantiser
from codesign.train.inq import code_sentence, layers, train_portions
from codesign.train.loop import Stage, Trainer, learn_stage


def train_surgery(trainer: Trainer) -> None:
    """Float training for `epochs`, surgery for those of [surgery], then the portions of [inq]."""
    spec, train = trainer.recipe.surgery, trainer.recipe.train
    trainer.run(learn_stage(train))
    stop = train.epochs + spec.epochs
    if trainer.done < stop:
        for quantiser, weight in operated(trainer):
            quantiser.begin(weight, spec.rate, spec.gamma, spec.power)
    warmup = train.warmup_epochs
    trainer.run(Stage(train.epochs, stop, train.lr, learns=True, warmup_epochs=warmup))
    for quantiser, _ in operated(trainer):
        quantiser.end()
    train_portions(trainer, stop)
    trainer.remark(f"{cut_sentence(trainer)} {code_sentence(trainer.model)}")
    trainer.save()


def operated(trainer: Trainer) -> list:
    """Quantiser and weight of every layer under surgery."""
    return [(q, w) for q, w in layers(trainer.model) if isinstance(q, SurgeryQuantiser)]


def cut_sentence(trainer: Trainer) -> str:
    """What surgery left, in words."""
    found = operated(trainer)
    kept = sum(int(q.kept.expand_as(w).sum()) for q, w in found)
    count = sum(w.numel() for _, w in found)
    return f"Dynamic network surgery kept {kept:,} of {count:,} weights ({kept / count:.1%})."
