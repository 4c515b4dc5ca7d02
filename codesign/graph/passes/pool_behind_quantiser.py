"""MaxPool moves behind the elementwise functions and the quantiser that follow it.

All of these are non-decreasing, so the largest stays the largest: max(q(a), q(b)) = q(max(a, b)).
Behind the quantiser the pool compares a few bits instead of wide sums, and a batch norm with
negative scale in front of it needs no pool of minima.
"""

from __future__ import annotations

from typing import Any

from codesign.graph.passes.node_access import swap

MONOTONE = ("Relu", "Quant", "LinearQuant", "BipolarQuant")
TRUNCATIONS = ("Trunc", "QuantAvgPool2d")
QUANTISERS = ("Quant", "LinearQuant", "BipolarQuant", "MultiThreshold", *TRUNCATIONS)


def run(model: Any) -> Any:
    """Swap until no MaxPool of unquantised values stands before such a function."""
    while _swap_one(model):
        pass
    return model


def _swap_one(model: Any) -> bool:
    for pool in model.get_nodes_by_op_type("MaxPool"):
        producer, after = model.find_producer(pool.input[0]), model.find_consumers(pool.output[0])
        if producer is not None and producer.op_type in QUANTISERS:
            continue
        if len(after) == 1 and after[0].op_type in MONOTONE and _per_tensor(model, after[0]):
            swap(model, pool, after[0])
            return True
    return False


def _per_tensor(model: Any, node: Any) -> bool:
    """Parameters of one element: they need no change of shape."""
    constants = [model.get_initializer(name) for name in list(node.input)[1:]]
    return all(c is not None and c.size == 1 for c in constants)
