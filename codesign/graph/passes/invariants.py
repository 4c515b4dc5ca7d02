"""What holds after every pass."""

from __future__ import annotations

from typing import Any

from codesign.errors import InvariantBroken


def check(model: Any, after: str) -> None:
    """Raise InvariantBroken unless the graph is in order and every tensor has one source."""
    known = {i.name for i in model.graph.initializer} | {i.name for i in model.graph.input} | {""}
    for node in model.graph.node:
        missing = [name for name in node.input if name not in known]
        doubled = [name for name in node.output if name and name in known]
        if missing or doubled:
            problem = f"reads {missing} too early" if missing else f"writes {doubled} again"
            raise InvariantBroken(f"after pass {after}: node {node.name} {problem}")
        known.update(node.output)
    lost = [o.name for o in model.graph.output if o.name not in known]
    if lost:
        raise InvariantBroken(f"after pass {after}: output {lost} has no source")
