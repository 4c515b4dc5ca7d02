"""Every table by name; making one imports torch, reading this does not."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from codesign.errors import BadInput
from codesign.strict import nearest

if TYPE_CHECKING:
    from codesign.bench.frame import Bench

# name -> (where its function is, what it compares)
TABLES: dict[str, tuple[str, str]] = {
    "gaussian": (
        "codesign.bench.gaussian:gaussian",
        "U1-U3 and P1-P3 on Gaussian samples; seconds",
    ),
    "step": ("codesign.bench.step_time:step", "a training step against the float one; a minute"),
    "dq1": ("codesign.bench.trained:dq1", "DQ table 1: parametrisations; 3.7 core-hours"),
    "dq3": (
        "codesign.bench.trained:dq3",
        "DQ table 3: fixed against learned widths; 1.2 core-hours",
    ),
    "qat": ("codesign.bench.trained:qat", "QAT benchmark of methods; 1.2 core-hours"),
    "qat2": ("codesign.bench.qat2:qat2", "QAT benchmark: later methods; 1.4 core-hours"),
    "width": ("codesign.bench.trained:width", "width against bits at one memory; 1 core-hour"),
    "inq": ("codesign.bench.trained:inq", "INQ: bits and partitions; 1.2 core-hours"),
    "fdqmp": ("codesign.bench.trained:fdqmp", "FDQMP: modified gradients; 1.5 core-hours"),
    "ondevice": (
        "codesign.bench.ondevice:ondevice",
        "local losses and integer-only training; 2.1 core-hours",
    ),
}


def bench(name: str) -> Bench:
    """The table called `name`; raises BadInput for another name."""
    if name not in TABLES:
        hint = nearest(name, list(TABLES))
        raise BadInput(f"there is no table {name!r}{hint} (`codesign bench` lists all)", found=name)
    module, _, function = TABLES[name][0].partition(":")
    return getattr(import_module(module), function)()
