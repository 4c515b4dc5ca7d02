"""The points of a sweep: what each is, by what name it is found again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from codesign.board import Board, load_board
from codesign.errors import BadInput
from codesign.recipe import Recipe, TargetSpec, load_recipe
from codesign.sweep.spec import SweepSpec

if TYPE_CHECKING:
    from codesign.graph.ir import IntGraph

replace = msgspec.structs.replace


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One row to be; holds all that a worker needs, but for the file of an ONNX model.

    `recipe` is the whole job with this point's widths, board and seed, None for an estimate of
    `model` (a published shape or the absolute path of an ONNX file, `digest` of its content).
    `folding` is the absolute path of a file with an explicit folding, "" where the search finds it.
    """

    model: str
    board: Board
    weight_bits: int | None = None
    act_bits: int | None = None
    layer_weight_bits: dict[str, int] = {}
    target_fps: float | None = None
    folding: str = ""
    folding_digest: str = ""
    pad_channels: bool = False
    recipe: Recipe | None = None
    input: str | None = None
    input_scale: float | None = None
    digest: str = ""

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits of all that decides the result."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()[:12]

    @property
    def columns(self) -> dict[str, object]:
        """What the row says of the point itself."""
        layers = " ".join(f"{name}={bits}" for name, bits in self.layer_weight_bits.items())
        return {
            "id": self.id,
            "kind": "estimate" if self.recipe is None else "recipe",
            "model": Path(self.model).name,
            "board": self.board.name,
            "weight_bits": self.weight_bits,
            "act_bits": self.act_bits,
            "layer_weight_bits": layers,
            "target_fps": self.target_fps,
            "folding": Path(self.folding).name,
            "pad_channels": self.pad_channels,
            "seed": None if self.recipe is None else self.recipe.train.seed,
        }


def families() -> dict[str, Callable[[int, int], IntGraph]]:
    """Published shapes at any widths of weights and activations."""
    from codesign.models import published

    return {
        "cnv": published.cnv,
        "mobilenet-v1": published.mobilenet_v1,
        "resnet-50": published.resnet50,
    }


def points_of(spec: SweepSpec) -> list[Point]:
    """Every combination once, in the order of the file; raises BadInput before anything runs."""
    _digest.cache_clear()  # files may have changed since the last sweep
    make = _estimate_points if spec.recipe is None else _recipe_points
    return list({point.id: point for point in make(spec)}.values())


def _widths(spec: SweepSpec) -> list[tuple[int | None, int | None]]:
    """(weight bits, activation bits), None where they stay as they are."""
    weights = spec.weight_bits or (None,)
    if spec.act_bits == "same":
        return [(bits, bits) for bits in weights]
    return list(product(weights, spec.act_bits or (None,)))


def _estimate_points(spec: SweepSpec) -> Iterator[Point]:
    layers = [
        dict(zip(spec.layer_weight_bits, b)) for b in product(*spec.layer_weight_bits.values())
    ]
    axes = product(
        spec.models, spec.boards, _widths(spec), layers, spec.target_fps or (0,), _plans(spec)
    )
    for model, board, (weight, act), layer, fps, plans in axes:
        path, digest = _network(model, weight, act)
        yield Point(
            model=path,
            board=load_board(board),
            weight_bits=weight,
            act_bits=act,
            layer_weight_bits=layer,
            target_fps=fps or None,
            input=spec.input,
            input_scale=spec.input_scale,
            digest=digest,
            **plans,
        )


def _plans(spec: SweepSpec) -> list[dict[str, object]]:
    """How the points are folded: each file as it is, the search with and without padding."""
    searched = [{"pad_channels": pad} for pad in spec.pad_channels or (False,)]
    found: list[dict[str, object]] = []
    for name in spec.foldings:
        found += [_given(name)] if name else [{"folding": ""} | plan for plan in searched]
    return found or searched


def _given(folding: str) -> dict[str, str]:
    """A file of PE and SIMD, found again by its content."""
    return {"folding": str(Path(folding).resolve()), "folding_digest": _digest(folding)}


def _network(model: str, weight: int | None, act: int | None) -> tuple[str, str]:
    """A published shape as it is, or the absolute path of a file with the digest of its content."""
    if model in families():
        if weight is None or act is None:
            raise BadInput(f"{model} is a shape without widths: give weight_bits and act_bits")
        return model, ""
    return str(Path(model).resolve()), _digest(model)


@cache
def _digest(model: str) -> str:
    try:
        return hashlib.sha256(Path(model).read_bytes()).hexdigest()
    except OSError as error:
        known = ", ".join(families())
        raise BadInput(
            f"models, foldings: {model!r} cannot be read ({error.strerror}); published shapes: {known}",
            path=model,
        ) from error


def _recipe_points(spec: SweepSpec) -> Iterator[Point]:
    own = load_recipe(spec.recipe)
    axes = product(
        *(spec.boards or (None,), _widths(spec), spec.target_fps or (None,)),
        *(_plans(spec), spec.seeds or (None,)),
    )
    for board, (weight, act), fps, plans, seed in axes:
        recipe = _changed(own, board, weight, act, _target(own, spec, fps, plans))
        recipe = recipe if seed is None else recipe.with_seed(seed)
        yield Point(
            model=str(spec.recipe),
            board=recipe.board.load(),
            weight_bits=recipe.quant.weight_bits,
            act_bits=recipe.quant.act_bits,
            target_fps=recipe.target.fps,
            pad_channels=recipe.target.pad_channels,
            recipe=recipe,
            **(_given(recipe.target.folding) if recipe.target.folding else {}),
        )


def _target(
    own: Recipe, spec: SweepSpec, fps: float | None, plans: dict[str, object]
) -> TargetSpec:
    """The recipe's target with what the sweep says of it; its own folding where that says nothing."""
    given: dict[str, object] = {"folding": plans["folding"] or None} if "folding" in plans else {}
    if spec.pad_channels:
        given["pad_channels"] = plans.get("pad_channels", False)
    if fps is not None:
        given |= {"fps": fps or None, "latency_s": None}
    try:
        return replace(own.target, **given)
    except ValueError as error:
        raise BadInput(f"the recipe's target with what the sweep says of it: {error}") from error


def _changed(
    own: Recipe, board: str | None, weight: int | None, act: int | None, target: TargetSpec
) -> Recipe:
    quant = {"weight_bits": weight, "act_bits": act}
    try:
        return replace(
            own,
            board=own.board if board is None else replace(own.board, name=board),
            quant=replace(own.quant, **{k: v for k, v in quant.items() if v is not None}),
            target=target,
        )
    except ValueError as error:
        raise BadInput(f"the recipe with {weight} and {act} bits: {error}") from error
