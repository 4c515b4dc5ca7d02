"""What a recipe says of compact layers."""

from __future__ import annotations

import msgspec

from codesign.rules import choice, require

COMPACT_METHODS = ("svd", "cp", "separable", "prune")


class CompactSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A layer with the part `ratio` of its weights left out (codesign/models/compact).

    "svd" (two matrices, or a depthwise and a 1x1 convolution), "cp" (1x1, depthwise, 1x1),
    "separable" (depthwise and 1x1, whatever the ratio), "prune" (the smallest weights are 0).
    """

    method: str
    ratio: float = 0.5

    def __post_init__(self) -> None:
        require(
            choice("method", self.method, COMPACT_METHODS),
            ("ratio", self.ratio, 0 < self.ratio < 1, "over 0 and below 1"),
        )
