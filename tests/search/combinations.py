"""Every combination of a small network's options, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from codesign.search.network import Network
from codesign.search.streams import conversion


def every_combination(network: Network) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """(interval, counts, choice) of all options of the nodes and all ways of converting lanes."""
    for options in product(*(range(len(o.folds)) for o in network.options)):
        nodes = sum(o.counts[i] for o, i in zip(network.options, options, strict=True))
        interval = max(o.intervals[i] for o, i in zip(network.options, options, strict=True))
        ways = []
        for edge in network.edges:
            lanes = edge.source_lanes[options[edge.source]], edge.target_lanes[options[edge.target]]
            found = conversion(*map(int, lanes), edge.elements, edge.qtype, network.device)
            ways.append(list(enumerate(found)))
        for picked in product(*ways):
            counts = nodes + sum(way[1] for _, way in picked)
            yield interval, counts, np.array([*options, *(number for number, _ in picked)])
