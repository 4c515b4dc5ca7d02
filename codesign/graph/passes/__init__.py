"""What happens to an ONNX graph before it becomes integers: THE ordered list, a reason per line.

A pass is one file with `run(model) -> model` on qonnx's ModelWrapper; `invariants.check` runs after
each. Convolution biases, Gemm and batch norms stay nodes: their handlers are exact as they are.
"""

from __future__ import annotations

from typing import Any

from codesign.graph.passes import (
    canonical_domains,
    dead_code,
    explicit_pads,
    fold_constants,
    invariants,
    node_names,
    pool_behind_quantiser,
    quantisers_present,
    static_batch,
    static_shapes,
)

PASSES = (
    canonical_domains,  # exporters spell qonnx's domain in three ways; handlers know one
    quantisers_present,  # a float network has no integer form: say so before anything else
    node_names,  # every later message names its node
    static_batch,  # symbolic or missing batch sizes become 1, so that shapes can be inferred
    static_shapes,  # handlers work on shapes, not on Shape nodes
    fold_constants,  # Shape-Gather-Concat reshapes and constant arithmetic disappear
    dead_code,  # what nothing reads needs no hardware and must not fail to import
    explicit_pads,  # auto_pad becomes numbers, which the padding block needs
    pool_behind_quantiser,  # max commutes with monotone quantisers: pool the narrow integers
)


def tidy(model: Any) -> Any:
    """Run every pass in order; raises BadInput, UnsupportedLayer or InvariantBroken."""
    for step in PASSES:
        model = step.run(model)
        invariants.check(model, step.__name__.rsplit(".", 1)[-1])
    return model
