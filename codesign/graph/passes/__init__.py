"""What happens to an ONNX graph before it becomes integers: THE ordered list, a reason per line.

A pass is one file with `run(model) -> model` on qonnx's ModelWrapper; `invariants.check` runs after
each. Convolution biases, Gemm and batch norms stay nodes: their handlers are exact as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codesign.errors import BadInput, CodesignError, InvariantBroken
from codesign.graph.passes import (
    byte_constants,
    canonical_domains,
    channels_first,
    dead_code,
    explicit_pads,
    fold_constants,
    integer_ends,
    invariants,
    node_names,
    pool_behind_quantiser,
    qcdq_to_quant,
    qlinear_ops,
    quantisers_present,
    sink_transposes,
    static_batch,
    static_shapes,
    unused_outputs,
)

PASSES = (
    canonical_domains,  # exporters spell qonnx's domain in three ways; handlers know one
    quantisers_present,  # a float network has no integer form: say so before anything else
    node_names,  # every later message names its node
    unused_outputs,  # qonnx infers no shape for them in old versions, and executes no node then
    static_batch,  # symbolic or missing batch sizes become 1, so that shapes can be inferred
    channels_first,  # one form of each layer; the Transposes between are index algebra
    static_shapes,  # handlers work on shapes, not on Shape nodes
    fold_constants,  # Shape-Gather-Concat reshapes and constant arithmetic disappear
    qlinear_ops,  # layers on integers are layers between quantisers
    integer_ends,  # qonnx's integers are real tensors with an annotation
    qcdq_to_quant,  # a quantiser in two or three nodes is one
    byte_constants,  # nothing here computes with arrays of 4-bit integers
    dead_code,  # what nothing reads needs no hardware and must not fail to import
    sink_transposes,  # so that those of neighbouring layers cancel, and pools see quantisers
    explicit_pads,  # auto_pad becomes numbers, which the padding block needs
    pool_behind_quantiser,  # max commutes with monotone quantisers: pool the narrow integers
)


def tidy(model: Any) -> Any:
    """Run every pass in order; raises BadInput, UnsupportedLayer or InvariantBroken."""
    for _, result in apply(model):
        model = result
    return model


def apply(model: Any) -> Iterator[tuple[str, Any]]:
    """Run the passes one by one: each one's name and the model behind it; raises as `tidy`."""
    name = model.graph.name
    try:
        invariants.check(model, "reading")
    except InvariantBroken as error:
        raise BadInput(f"{name}: is not a valid graph ({error}); export it again") from error
    for step in PASSES:
        title = step.__name__.rsplit(".", 1)[-1]
        try:
            model = step.run(model)
        except CodesignError:
            raise
        except Exception as error:  # onnx, onnxruntime and qonnx raise classes of their own
            raise _refused(name, title, error) from error
        invariants.check(model, title)
        yield title, model


def _refused(name: str, title: str, error: Exception) -> BadInput:
    reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
    return BadInput(
        f"{name}: the pass {title} must succeed, but found an invalid graph ({reason}); "
        "check the file with onnx.checker and export it again",
        reason=reason,
    )
