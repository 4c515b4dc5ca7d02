"""The estimate around a plan, tabulated over the widths of a network's quantisers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from codesign.board import Board
from codesign.quant.handles import QuantHandle
from codesign.search.around import Around
from codesign.search.layers import quantisers_before
from codesign.search.plan import Plan
from codesign.search.retyping import Retyper, act_bits_of, weight_bits_of

BITS = range(1, 9)
NOTHING = -1

Row = list[float]


class Table(msgspec.Struct, frozen=True):
    """Change of the demand against the plan, [weight bits - 1][activation bits - 1][kind].

    `weight` and `act` are indices of handles; -1 where that width does not matter or is given.
    """

    weight: int
    act: int
    change: list[list[Row]]


class DemandTables(msgspec.Struct, frozen=True):
    """Demand of the plan for each of `kinds`, and the tables of what widths change of it."""

    kinds: tuple[str, ...]
    plan: Row
    tables: tuple[Table, ...]


def demand_tables(planned: Plan, board: Board, handles: Sequence[QuantHandle]) -> DemandTables:
    """Tables around `planned`: one for each activation quantiser and one for each weighted layer.

    The demand at widths w, a is plan + sum_k A_k(a_k) + sum_l T_l(w_l, a_l): A_k is what the width
    of activation k changes alone, T_l what the weights of layer l change at the width a_l of what
    the layer reads. So it equals the estimator wherever one layer and its input change together.
    """
    around = _Around(planned, board)
    names = _Names(planned, handles)
    tables = [_act_table(around, names, index) for index in names.acts]
    tables += [_weight_table(around, names, index) for index in names.weights]
    demand = planned.estimate.total.flat()
    return DemandTables(
        around.kinds, [demand.get(kind, 0.0) for kind in around.kinds], tuple(tables)
    )


class _Names:
    """Blocks of each handle: `weights` and `acts` map handle indices to names of blocks.

    `read_by` maps the index of a weight handle to that of the activation its layer reads, -1 for
    the network's input. A quantiser that was exported several times has several blocks.
    """

    def __init__(self, planned: Plan, handles: Sequence[QuantHandle]) -> None:
        design = planned.design
        graph = Retyper(design).graph
        weighted, quantising = weight_bits_of(graph), act_bits_of(graph)
        self.least = [handle.least_bits for handle in handles]
        self.weights: dict[int, list[str]] = {}
        self.acts: dict[int, list[str]] = {}
        for index, handle in enumerate(handles):
            if handle.role == "weight" and handle.integer_bits() > 1:
                found = _with_origin(design.origins, f"{handle.name}.weight", weighted)
                self.weights |= {index: found} if found else {}
            elif handle.role == "act":
                found = _with_origin(design.origins, handle.name, quantising)
                self.acts |= {index: found} if found else {}
        owner = {name: index for index, names in self.acts.items() for name in names}
        before = quantisers_before(graph)
        self.read_by = {
            index: next((owner[q] for name in names for q in before[name] if q in owner), NOTHING)
            for index, names in self.weights.items()
        }

    def bits(self, index: int, width: int) -> dict[str, int]:
        """Widths of the blocks of a handle, none narrower than its quantiser can be."""
        names = self.weights.get(index) or self.acts.get(index) or []
        return dict.fromkeys(names, max(width, self.least[index]) if names else width)


def _with_origin(
    origins: dict[str, tuple[str, ...]], origin: str, among: Iterable[str]
) -> list[str]:
    return [name for name in among if origin in origins.get(name, ())]


class _Around:
    """What a design costs more when widths change, by kind."""

    def __init__(self, planned: Plan, board: Board) -> None:
        self.around = Around(planned.design, board)
        self.kinds = tuple(board.budget().flat())

    def change(self, weight_bits: dict[str, int], act_bits: dict[str, int]) -> Row:
        """Demand with these widths minus that of the plan, by kind."""
        counts = self.around.change(weight_bits, act_bits).flat()
        return [counts.get(kind, 0.0) for kind in self.kinds]


def _act_table(around: _Around, names: _Names, index: int) -> Table:
    row = [around.change({}, names.bits(index, bits)) for bits in BITS]
    return Table(NOTHING, index, [row] * len(BITS))


def _weight_table(around: _Around, names: _Names, index: int) -> Table:
    reads = names.read_by[index]
    act_bits = BITS if reads != NOTHING else BITS[:1]
    change = {}
    for act in act_bits:
        acts = names.bits(reads, act) if reads != NOTHING else {}
        alone = around.change({}, acts)
        for weight in BITS:
            both = around.change(names.bits(index, weight), acts)
            change[weight, act] = [a - b for a, b in zip(both, alone, strict=True)]
    table = [[change[w, min(a, act_bits[-1])] for a in BITS] for w in BITS]
    return Table(index, reads, table)
