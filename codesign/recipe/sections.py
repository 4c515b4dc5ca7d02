"""What a recipe says of the network, its data, its board, and what must be reached there."""

from __future__ import annotations

import msgspec

from codesign.board import Board, load_board
from codesign.recipe.compact import CompactSpec
from codesign.rules import choice, require

Option = bool | int | float | str | list[int | float | str | list[int]]

AUGMENTATIONS = ("flip", "crop", "resized-crop")


class ModelSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A built-in network or "package.module:Class"; `options` go to it as keyword arguments.

    `checkpoint` is a file of weights (torch state dict) to begin with. `compact` maps the path of a
    layer, or of a module above layers, to the way it is made compact from these weights.
    """

    name: str
    checkpoint: str | None = None
    options: dict[str, Option] = {}
    compact: dict[str, CompactSpec] = {}


class DataSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A data set by name, an .npz file, a folder, or "package.module:function".

    `limit` keeps that many samples of each part, `train_limit` of the training part alone; `shrink`
    s takes the mean of every s by s pixels. `augment` names what is done to training images:
    "flip" (left-right), "crop" (moved by up to `crop_pixels` behind an edge of zeros), and for
    pictures in files "resized-crop" (8 to 100 % of the area), whose side is `image_size`.
    """

    name: str = "digits"
    limit: int | None = None
    train_limit: int | None = None
    shrink: int = 1
    validation_fraction: float = 0.1
    augment: tuple[str, ...] = ()
    crop_pixels: int = 4
    image_size: int | None = None

    def __post_init__(self) -> None:
        require(
            *(
                (key, size, size is None or size >= least, f"at least {least}")
                for key, size, least in (
                    ("limit", self.limit, 1),
                    ("train_limit", self.train_limit, 1),
                    ("image_size", self.image_size, 8),
                )
            ),
            ("shrink", self.shrink, self.shrink >= 1, "at least 1"),
            (
                "validation_fraction",
                self.validation_fraction,
                0 < self.validation_fraction < 1,
                "over 0 and below 1",
            ),
            ("crop_pixels", self.crop_pixels, self.crop_pixels >= 1, "at least 1"),
            *(choice("augment", name, AUGMENTATIONS) for name in self.augment),
        )


class BoardSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A board by name or TOML file; `share` is the portion of it that this job may use."""

    name: str
    share: float = 1.0
    clock_hz: float | None = None

    def __post_init__(self) -> None:
        require(
            ("share", self.share, 0 < self.share <= 1, "over 0 and at most 1"),
            ("clock_hz", self.clock_hz, self.clock_hz is None or self.clock_hz > 0, "over 0"),
        )

    def load(self) -> Board:
        """The board with its share and clock; raises BadInput."""
        board = load_board(self.name)
        if self.share < 1:
            board = board.share(self.share)
        return msgspec.structs.replace(board, clock_hz=self.clock_hz or board.clock_hz)


class TargetSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the accelerator must reach; with neither, the largest fps that fits.

    With `pad_channels` channel counts may be rounded up for a better folding. `folding` names a
    file of PE and SIMD (FINN's folding configuration) instead of a search.
    """

    fps: float | None = None
    latency_s: float | None = None
    pad_channels: bool = False
    folding: str | None = None

    def __post_init__(self) -> None:
        both = self.fps is not None and self.latency_s is not None
        require(
            ("fps", self.fps, self.fps is None or self.fps > 0, "over 0"),
            ("latency_s", self.latency_s, self.latency_s is None or self.latency_s > 0, "over 0"),
            ("fps", self.fps, not both, "left out where latency_s is given"),
            (
                "pad_channels",
                self.pad_channels,
                not (self.pad_channels and self.folding),
                "left out where a folding is given",
            ),
        )
