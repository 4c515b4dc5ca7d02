"""The QAT benchmark's later methods, beside LSQ and DoReFa under the same protocol.

Errors of the slides (ResNet-20, CIFAR-10, W3A3); in a second group those that the APoT paper (Li,
Dong and Wang, ICLR 2020) states for ResNet-20 at 3 bits.
"""

from __future__ import annotations

from collections.abc import Iterator

from codesign.bench.frame import Bench, Entry
from codesign.bench.protocol import ENDS, FLOAT, Job, scaled
from codesign.bench.trained import table
from codesign.quant.config import QuantConfig

SLIDES, APOT = "slides", "APoT's paper"


def qat2() -> Bench:
    """LSQ+, SAT, LQ-Net, centroids and APoT at 3 bits."""
    title = "QAT benchmark: later methods at 3 bits, first and last layer at 8"
    return table("qat2", title, "ResNet-20, CIFAR-10, W3A3 error (%)", _entries(), 0.8)


def _entries() -> Iterator[Entry]:
    yield Entry("float", 8.5, Job(scaled(FLOAT)), SLIDES)
    rows = (
        ("LSQ", 10.0, "fixed", "fixed", SLIDES),
        ("LSQ+", None, "lsq+", "lsq+", SLIDES),
        ("SAT", 11.0, "sat", "sat", SLIDES),
        ("LQ-Net", 11.5, "lq-net", "lq-net", SLIDES),
        ("DoReFa", 12.0, "dorefa", "dorefa", SLIDES),
        ("scalar centroids", 13.0, "centroids", "fixed", SLIDES),
        ("APoT", 7.51, "apot", "apot", APOT),
        ("LQ-Net (APoT's table)", 8.4, "lq-net", "lq-net", APOT),
        ("DoReFa (APoT's table)", 10.1, "dorefa", "dorefa", APOT),
    )
    for name, published, weights, acts, group in rows:
        quant = QuantConfig(3, 3, weight_quantiser=weights, act_quantiser=acts, layers=ENDS)
        yield Entry(name, published, Job(scaled(quant)), group)
