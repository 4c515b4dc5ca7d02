"""What the functions of the interface share: boards by name, checked numbers."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from codesign.board import Board, all_boards, load_board
from codesign.design import Design
from codesign.errors import BadInput

if TYPE_CHECKING:
    from codesign.graph.ir import IntGraph

BoardLike = str | Path | Board


def boards() -> list[Board]:
    """Every shipped board, sorted by name."""
    return all_boards()


def board(name: BoardLike) -> Board:
    """The board `name`; raises BadInput with the nearest names."""
    return name if isinstance(name, Board) else load_board(name)


def required(on: BoardLike | None) -> BoardLike:
    """`on`; raises BadInput where no board was named."""
    if on is None:
        raise BadInput("a board is needed to fold a network; `codesign boards` lists them")
    return on


def check_target(name: str, value: float | None) -> None:
    """Raise BadInput for a target that is not over 0 and finite."""
    if value is not None and not 0 < value < inf:
        raise BadInput(f"{name} must be over 0 and finite, not {value}", key=name, found=value)


def check_frames(frames: int | None) -> None:
    """Raise BadInput for a number of frames below 1."""
    if frames is not None and frames < 1:
        raise BadInput(f"frames must be at least 1, not {frames}", key="frames", found=frames)


def path_of(value: str | Path | None) -> Path | None:
    """`value` as a Path, None kept."""
    return None if value is None else Path(value)


def network_of_design(design: Design) -> IntGraph:
    """The network of a design, ready to be folded anew; without parameters."""
    from codesign.graph.bare import without_plumbing
    from codesign.graph.execute import graph_of

    return without_plumbing(graph_of(design, {}))
