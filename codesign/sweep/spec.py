"""What a sweep varies, read strictly from a TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

import msgspec

from codesign.board import load_board
from codesign.errors import BadInput
from codesign.files import package_data
from codesign.rules import require
from codesign.strict import load_toml, nearest
from codesign.types import qtype_of

Axis = tuple[int, ...]


class SweepSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One point for each combination of all values that are listed; an empty list varies nothing.

    Either `recipe`, whose whole job is done at each point with other widths, boards and seeds, or
    `models`: published shapes (cnv, mobilenet-v1, resnet-50) and ONNX files, estimated at each
    point. `act_bits` "same" takes as many bits as the weights have. `layer_weight_bits` names
    layers of the models whose weights get other widths than the rest. `target_fps` 0 asks for the
    most frames per second that fit. `foldings` names files of PE and SIMD by block or by FINN's
    layers (as `codesign estimate --folding`), "" the folding that the search finds; `pad_channels`
    with or without padding of channel counts. `input` and `input_scale` are as in `codesign estimate`.
    """

    title: str = ""
    recipe: str | None = None
    models: tuple[str, ...] = ()
    boards: tuple[str, ...] = ()
    weight_bits: Axis = ()
    act_bits: Axis | Literal["same"] = ()
    layer_weight_bits: dict[str, Axis] = {}
    target_fps: tuple[float, ...] = ()
    foldings: tuple[str, ...] = ()
    pad_channels: tuple[bool, ...] = ()
    seeds: Axis = ()
    input: str | None = None
    input_scale: float | None = None

    def __post_init__(self) -> None:
        trains, widths = self.recipe is not None, [*self.weight_bits]
        widths += [] if self.act_bits == "same" else self.act_bits
        require(
            ("models", list(self.models), trains != bool(self.models), "given, or else recipe"),
            ("boards", [], trains or bool(self.boards), "given with models"),
            ("seeds", list(self.seeds), trains or not self.seeds, "left out with models"),
            ("weight_bits and act_bits", widths, all(1 <= b <= 32 for b in widths), "1 to 32"),
            ("seeds", list(self.seeds), all(0 <= s < 2**31 for s in self.seeds), "0 to 2^31 - 1"),
            (
                "target_fps",
                list(self.target_fps),
                all(0 <= fps < float("inf") for fps in self.target_fps),
                "at least 0 and finite",
            ),
            (
                "input_scale",
                self.input_scale,
                self.input_scale is None or 0 < self.input_scale < float("inf"),
                "over 0 and finite",
            ),
            (
                "layer_weight_bits",
                self.layer_weight_bits,
                not (trains and self.layer_weight_bits)
                and all(
                    b and min(b) >= 1 and max(b) <= 32 for b in self.layer_weight_bits.values()
                ),
                "lists of 1 to 32 bits, and left out with a recipe",
            ),
        )


def load_sweep(path: Path) -> SweepSpec:
    """Read a sweep; paths in it are relative to its own folder. Raises BadInput with file and key."""
    spec = load_toml(path, SweepSpec)
    for key, words, read in (
        ("boards", spec.boards, load_board),
        ("input", filter(None, [spec.input]), qtype_of),
    ):
        try:
            for word in words:
                read(word)
        except BadInput as error:
            raise BadInput(f"{path}: key {key!r}: {error.message}", path=str(path)) from error
    here = Path(path).resolve().parent

    def placed(name: str) -> str:
        return str(here / name) if (here / name).is_file() else name

    return msgspec.structs.replace(
        spec,
        models=tuple(map(placed, spec.models)),
        foldings=tuple(map(placed, spec.foldings)),
        recipe=spec.recipe and placed(spec.recipe),
    )


def find_sweep(word: str) -> SweepSpec:
    """The sweep that `word` names: a sweep file, a shipped one, a recipe or a recipe's name."""
    from codesign.recipe import recipe_names

    shipped = {p.stem: p for p in package_data("flows").glob("sweeps/*.toml")}
    if word in shipped:
        return load_sweep(shipped[word])
    if Path(word).suffix == ".toml":
        return SweepSpec(recipe=word) if _is_recipe(Path(word)) else load_sweep(Path(word))
    if word not in recipe_names():
        hint = nearest(word, [*shipped, *recipe_names()])
        raise BadInput(f"{word!r} is no .toml file, shipped sweep or recipe{hint}", sweep=word)
    return SweepSpec(recipe=word)


def _is_recipe(path: Path) -> bool:
    """A recipe has a section [model]; what cannot be read is left to the strict reader."""
    try:
        return "model" in tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
