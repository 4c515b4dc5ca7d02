"""Training on small devices: block-local losses and integers alone, against backpropagation.

Published: "Training Neural Networks with Local Error Signals" (Nokland and Eidnes, ICML 2019),
CIFAR-10 error of vgg8b and of the mlp; the slides' blocks with QAT inside; NITI (Wang et al., 2022),
VGG-small-7. Shortcuts have no place in either method, so the network is a chain of convolutions.
"""

from __future__ import annotations

from collections.abc import Iterator

from codesign.bench.frame import Bench, Entry
from codesign.bench.protocol import FLOAT, SEEDS, Job, change, measure, scaled
from codesign.quant.config import QuantConfig
from codesign.recipe import ModelSpec, Recipe
from codesign.recipe.ondevice import LocalSpec

CHAINS = {
    "vgg": ModelSpec("cnv", options={"stages": [[16, 16], [32, 32], [64]], "hidden": [128]}),
    "mlp": ModelSpec("tfc", options={"sizes": [256, 256, 256]}),
}
TITLE = (
    "Chain of 5 convolutions (16, 16, 32, 32, 64) and 128 hidden units, or 3 layers of 256 (mlp), "
    "CIFAR-10 at 16x16, 10,000 training images, 30 epochs, Adam; NITI: its own integers, batches of 64"
)
PUBLISHED = {
    "vgg": {"backpropagation": 5.99, "pred": 8.40, "sim": 7.16, "predsim": 5.58},
    "mlp": {"backpropagation": 33.56, "pred": 32.33, "sim": 33.48, "predsim": 30.93},
}
# NITI's VGG-small-7: 90.64 % at its best epoch; no float network stands beside it there.
NITI_ERROR = 9.36
QAT_BLOCKS_ERROR = 30.0
ADAM = {"optimiser": "adam", "lr": 1e-3, "weight_decay": 0.0}


def ondevice() -> Bench:
    """Local losses in float and with QAT inside the blocks; integer-only training."""
    return Bench(
        name="ondevice",
        title="Local losses and integer-only training",
        protocol=TITLE,
        unit="test error (%)",
        published_unit="CIFAR-10 error (%): vgg8b, mlp; VGG-small-7",
        seeds=SEEDS,
        entries=tuple(_entries()),
        measure=measure,
        least_gap=1.0,
    )


def _entries() -> Iterator[Entry]:
    for chain, errors in PUBLISHED.items():
        for loss, published in errors.items():
            yield Entry(f"{chain}, {loss}", published, Job(_float(chain, loss)), chain)
    w4 = QuantConfig(4, 4, quantiser="fixed")
    yield Entry("vgg, W4A4, backpropagation", None, Job(_chain("vgg", w4)), "qat")
    local = _local(_chain("vgg", w4), "predsim")
    yield Entry("vgg, W4A4, predsim", QAT_BLOCKS_ERROR, Job(local), "qat")
    yield Entry("vgg, NITI int8", NITI_ERROR, Job(_niti(8)), "niti")
    yield Entry("vgg, NITI int4 weights", None, Job(_niti(4)), "niti")


def _float(chain: str, loss: str) -> Recipe:
    recipe = _chain(chain, FLOAT)
    return recipe if loss == "backpropagation" else _local(recipe, loss)


def _local(recipe: Recipe, loss: str) -> Recipe:
    train = change(recipe.train, procedure="local")
    return change(recipe, train=train, local=LocalSpec(loss=loss))


def _niti(weight_bits: int) -> Recipe:
    """Batches of 64: the paper makes sixteen times as many steps as this protocol, with no momentum."""
    return _chain("vgg", QuantConfig(weight_bits, 8), procedure="niti", batch=64)


def _chain(chain: str, quant: QuantConfig, **train: object) -> Recipe:
    """The protocol's data and epochs with a chain of layers."""
    return change(scaled(quant, **ADAM, **train), model=CHAINS[chain])
