"""The best folding when channels may be padded, each layer's to one of a few counts.

Padding buys foldings that the counts of a layer do not have: 37 channels have the divisors 1 and 37.
Every padding tried is a network of its own, searched like any other, as far as it can still beat the
best one so far; so the proof holds for the paddings tried, which are all of them while they are few.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import prod

import msgspec
import numpy as np

from codesign.board import Board
from codesign.graph.channel_sets import ChannelSet, channels_of
from codesign.graph.ir import IntGraph
from codesign.graph.pad_channels import pad_channels
from codesign.search.folding import NOTHING, FoldResult, FoldSearch, Weights
from codesign.search.proof import SAME, Proof

# Counts are rounded up to multiples of these, as long as they grow by no more than a quarter.
MULTIPLES = (2, 4, 8, 16)
ODD_MULTIPLES = (3, 5, 9, 15)
MOST_GROWTH = 0.25
# Up to so many paddings all are tried, else one layer is changed after another.
MOST_PADDINGS = 128

# Fields of a proof that say what is lacking.
LACK = "refuted_fps", "least_excess", "binding"

Sizes = dict[str, int]


@dataclass(frozen=True)
class Padded:
    """The best folding, of `graph` with the layers in `sizes` padded (none: as it was).

    `tried` paddings were searched of `possible` ones, the network as it is among them; `excluded`
    holds layers whose count would have candidates, with the reason why it has to stay.
    """

    graph: IntGraph
    sizes: Sizes
    found: FoldResult
    tried: int
    possible: int
    excluded: dict[str, str]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was padded, and which layers that could gain must stay as they are."""
        among = f"the best of {self.tried} paddings tried of {self.possible} candidates"
        done = "; ".join(f"{layer} to {size}" for layer, size in self.sizes.items())
        first = f"Channels padded: {done or 'none'} ({among})."
        kept = "; ".join(f"{layer} ({why})" for layer, why in self.excluded.items())
        return (first, f"Not padded: {kept}.") if kept else (first,)


def candidates(found: ChannelSet) -> tuple[int, ...]:
    """Counts that a set may be padded to, the present one first."""
    odd = found.pairs and found.channels % 2 == 1
    rounded = set()
    for multiple in ODD_MULTIPLES if odd else MULTIPLES:
        size = -(-found.channels // multiple) * multiple
        # Two by two an odd count stays odd.
        rounded.add(size + multiple if odd and size % 2 == 0 else size)
    most = found.channels * (1 + MOST_GROWTH)
    return found.channels, *sorted(n for n in rounded if found.channels < n <= most)


def _reason(found: ChannelSet) -> str:
    """Why a set that could gain stays as it is; empty where nothing keeps it."""
    alone = replace(found, pairs=False)
    if found.fixed or len(candidates(alone)) == 1 or len(candidates(found)) > 1:
        return found.fixed if len(candidates(alone)) > 1 else ""
    return "weights that read it have no 0, so that channels come in pairs"


def find_padded(
    graph: IntGraph,
    board: Board,
    target_fps: float | None = None,
    target_latency_s: float | None = None,
    minimise: Weights | None = None,
) -> Padded:
    """What `codesign.search.folding.find_folds` gives for the best padding of channel counts.

    The fastest folding that fits, of equally fast ones the cheapest; with a target the cheapest that
    reaches it. Bounds of its proof hold for all paddings tried.
    """
    search = _Paddings(graph, board, (target_fps, target_latency_s), minimise)
    search.try_all()
    return search.result()


class _Paddings:
    """One padding after another, against the best so far."""

    def __init__(
        self,
        graph: IntGraph,
        board: Board,
        targets: tuple[float | None, float | None],
        minimise: Weights | None,
    ) -> None:
        self.graph, self.board, self.targets, self.minimise = graph, board, targets, minimise
        sets = [s for s in channels_of(graph).sets if s.layers]
        self.choices = {s.layers[0]: candidates(s) for s in sets if not s.fixed}
        self.choices = {k: c for k, c in self.choices.items() if len(c) > 1}
        self.excluded = {layer: why for s in sets if (why := _reason(s)) for layer in s.layers}
        self.possible = prod(map(len, self.choices.values()))
        self.searches: dict[tuple[int, ...], FoldSearch] = {}
        self.results: list[FoldResult] = []
        self.cost_bounds: list[float] = []
        self.best: tuple[int, ...] = tuple(c[0] for c in self.choices.values())
        self.found = self._searched(self.best)

    @property
    def targeted(self) -> bool:
        """Whether the cheapest is wanted, not the fastest."""
        return self.targets != (None, None)

    def try_all(self) -> None:
        """Every padding, or those that differ from the best so far in one layer."""
        for sizes in self._every() if self.possible <= MOST_PADDINGS else self._neighbours():
            if sizes not in self.searches:
                other = self._searched(sizes)
                if other is not None and self._score(other) < self._score(self.found):
                    self.best, self.found = sizes, other

    def result(self) -> Padded:
        """The best padding, with what is proven of all."""
        best_fps = max(found.best_fps for found in self.results)
        found = replace(self.found, proof=self._proof(), best_fps=best_fps)
        graph, sizes = self.searches[self.best].graph, self._changed(self.best)
        return Padded(graph, sizes, found, len(self.searches), self.possible, self.excluded)

    def _every(self) -> Iterator[tuple[int, ...]]:
        """All paddings, those that add the fewest channels first."""
        yield from sorted(product(*self.choices.values()), key=sum)

    def _neighbours(self) -> Iterator[tuple[int, ...]]:
        """Layer after layer, the others as they are in the best padding so far."""
        for place, sizes in enumerate(self.choices.values()):
            for size in sizes[1:]:
                yield (*self.best[:place], size, *self.best[place + 1 :])

    def _changed(self, sizes: tuple[int, ...]) -> Sizes:
        pairs = zip(self.choices.items(), sizes, strict=True)
        return {layer: size for (layer, known), size in pairs if size != known[0]}

    def _searched(self, sizes: tuple[int, ...]) -> FoldResult | None:
        """The result of one padding; None where it is no faster than the best so far."""
        changed = self._changed(sizes)
        graph = pad_channels(self.graph, changed) if changed else self.graph
        first, search = not self.searches, FoldSearch(graph, self.board, NOTHING, self.minimise)
        self.searches[sizes] = search
        if self.targeted:
            result = search.reaching(*self.targets)
            self.cost_bounds.append(self._cost_bound(result, search))
        elif first or not self.found.fits:
            result = search.fastest()
        else:
            result = search.as_fast_as(self.found.interval_cycles)
        self.results += [] if result is None else [result]
        return result

    def _score(self, found: FoldResult) -> tuple[float, ...]:
        """The less the better: reached, then fast (without a target), then cheap."""
        if found.fits and found.meets_target:
            return 0, 0 if self.targeted else found.interval_cycles, found.proof.cost
        return 1, -found.best_fps, found.proof.least_excess

    def _cost_bound(self, found: FoldResult, search: FoldSearch) -> float:
        """Least cost at the target; infinite where no folding reaches it, as far as that is proven."""
        if found.fits and found.meets_target:
            return found.proof.cost_bound
        fps, latency_s = self.targets
        slow = fps is not None and search.fps_bound()[0] < fps * (1 - SAME)
        late = latency_s is not None and found.proof.latency_bound_s > latency_s
        return np.inf if slow or late else -np.inf

    def _proof(self) -> Proof:
        """The weakest of what is proven of each padding."""
        bounds = [search.fps_bound() for search in self.searches.values()]
        bound = max(fps for fps, _ in bounds)
        fits = self.found.fits and self.found.meets_target
        lack = self._next_lacks() if fits else self._lacks()
        return msgspec.structs.replace(
            self.found.proof,
            fps_bound=bound,
            structural=all(whole for fps, whole in bounds if fps == bound),
            cost_bound=min(self.cost_bounds, default=self.found.proof.cost_bound),
            paddings=len(self.searches),
            paddings_left=self.possible - len(self.searches),
            **lack,
        )

    def _lacks(self) -> dict[str, object]:
        """What the padding that lacks least lacks."""
        least = min((r.proof for r in self.results), key=lambda proof: proof.least_excess)
        return {name: getattr(least, name) for name in LACK}

    def _next_lacks(self) -> dict[str, object]:
        """What every folding of any padding lacks that is faster than the one found; with a target,
        and where no padding has a faster one, nothing."""
        faster = () if self.targeted else self.searches.values()
        lacks = [s.lack_within(self.found.interval_cycles - 1) for s in faster]
        lacks = [lack for lack in lacks if lack]
        if not lacks:
            return {"refuted_fps": np.inf, "least_excess": 0.0, "binding": {}}
        least = min(lacks, key=lambda lack: lack["least_excess"])
        return least | {"refuted_fps": min(lack["refuted_fps"] for lack in lacks)}
