"""All foldings of one block as arrays: interval, counts, lanes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np

from codesign.blocks.base import Block, Fold, ParamRef
from codesign.cost.family import load_family
from codesign.cost.parts import block_cost
from codesign.cost.resources import Resources
from codesign.lowering import full_rate_depth

# Kinds of a count, in the order of the columns of every matrix: lut, lutram, ff, dsp, memories.
Kinds = tuple[str, ...]


@dataclass(frozen=True)
class Options:
    """n foldings: `intervals` (n,), `counts` (n, kinds), lanes and full-rate depths (n, ports)."""

    folds: tuple[Fold, ...]
    intervals: np.ndarray
    counts: np.ndarray
    in_lanes: np.ndarray
    out_lanes: np.ndarray
    out_depths: np.ndarray

    def only(self, keep: np.ndarray) -> Options:
        """The foldings at indices `keep`."""
        return Options(
            tuple(self.folds[i] for i in keep),
            *(a[keep] for a in (self.intervals, self.counts, self.in_lanes, self.out_lanes)),
            self.out_depths[keep],
        )


def options_of(block: Block, family: str, kinds: Kinds) -> Options:
    """Every legal folding of `block` that no other of the same lanes dominates; cached by shape."""
    return _options(_shape_of(block), family, kinds)


def vector(resources: Resources, kinds: Kinds) -> np.ndarray:
    """Counts in the order of `kinds`."""
    counts = resources.flat()
    return np.array([counts.get(kind, 0.0) for kind in kinds])


def _shape_of(block: Block) -> Block:
    """`block` without what neither cost nor timing depends on: names, digests, present folding."""
    changes: dict[str, object] = {"name": "", "fold": Fold()}
    for field in block.__struct_fields__:
        value = getattr(block, field)
        if isinstance(value, ParamRef):
            changes[field] = msgspec.structs.replace(value, name="", digest="")
    return msgspec.structs.replace(block, **changes)


@lru_cache(maxsize=4096)
def _options(block: Block, family: str, kinds: Kinds) -> Options:
    members, device = [], load_family(family)
    for fold in block.folds_on(device):
        member = msgspec.structs.replace(block, fold=fold)
        program = member.program()
        members.append(
            (
                fold,
                program.interval_cycles,
                vector(block_cost(member, family), kinds),
                [port.lanes for port in member.inputs()],
                [port.lanes for port in member.outputs()],
                [full_rate_depth(program, f"out{i}") for i in range(len(member.outputs()))],
            )
        )
    folds, *columns = zip(*members, strict=True)
    options = Options(folds, *(np.array(column) for column in columns))
    return options.only(_undominated(options))


def _undominated(options: Options) -> np.ndarray:
    """Indices of foldings to keep: of those with equal lanes, none at least as good in everything.

    Other lanes may save a width converter, so they are never dropped for their cost.
    """
    traits = np.column_stack([options.intervals, options.out_depths, options.counts])
    lanes = np.column_stack([options.in_lanes, options.out_lanes])
    groups: dict[tuple[int, ...], list[int]] = {}
    for i, row in enumerate(lanes.tolist()):
        groups.setdefault(tuple(row), []).append(i)
    keep = []
    for members in groups.values():
        rows = traits[members]
        for k, i in enumerate(members):
            as_good = (rows <= rows[k]).all(axis=1)
            equal = as_good & (rows == rows[k]).all(axis=1)
            # Of equal ones the first stays.
            if not equal[:k].any() and (as_good == equal).all():
                keep.append(i)
    return np.array(sorted(keep))
