"""Which blocks, examples and foldings the conformance suite runs."""

from __future__ import annotations

import pytest

from codesign.blocks import BLOCKS
from codesign.blocks.base import Block
from tests.conformance.naive import CLOSED_FORM, NAIVE


def examples_of(cls: type[Block]) -> tuple:
    """Examples of a block; none where it does not define them."""
    try:
        return cls.examples()
    except NotImplementedError:
        return ()


def missing(cls: type[Block]) -> list[str]:
    """What a block lacks to take part in the suite."""
    lacks = {
        "examples": not examples_of(cls),
        "a docstring of its own": not cls.__dict__.get("__doc__"),
        "a naive function": cls not in NAIVE,
        "a closed form of its interval": cls not in CLOSED_FORM,
        "a line in BLOCKS": cls not in BLOCKS,
    }
    return [what for what, absent in lacks.items() if absent]


def leaves(cls: type[Block]) -> set[type[Block]]:
    """All hardware blocks under `cls`: its subclasses that have none themselves."""
    below = cls.__subclasses__()
    return set().union(*map(leaves, below)) if below else {cls}


EXAMPLES = [pytest.param(*e, id=e[0].name) for cls in BLOCKS for e in examples_of(cls)]
FOLDED = [
    pytest.param(
        example[0].folded(fold), id=f"{example[0].name}-pe{fold.pe}-simd{fold.simd}-{fold.memory}"
    )
    for cls in BLOCKS
    for example in examples_of(cls)
    for fold in example[0].legal_folds()
    if fold.multiplier == "lut"
]
