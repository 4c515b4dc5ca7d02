"""Every node gets a name, unique and stable from run to run."""

from __future__ import annotations

from typing import Any


def run(model: Any) -> Any:
    """Name nameless nodes "<op>_<position>"; a repeated name gets a number."""
    seen: set[str] = set()
    for i, node in enumerate(model.graph.node):
        base = node.name or f"{node.op_type}_{i}"
        name, k = base, 1
        while name in seen:
            name, k = f"{base}_{k}", k + 1
        seen.add(name)
        node.name = name
    return model
