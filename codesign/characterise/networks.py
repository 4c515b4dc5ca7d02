"""Whole networks, synthesised flat or module by module: what the sum of predictions is held against,
and never fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from codesign.blocks.base import Params
from codesign.board import load_board
from codesign.characterise.parts import Part, Piece, Way, synthesise_pieces, together
from codesign.characterise.run import DSP
from codesign.cost.estimate import estimate
from codesign.cost.model import FITTED
from codesign.design import Design
from codesign.errors import BadInput
from codesign.files import write_bytes_atomic
from codesign.rtl.build import files_of
from codesign.tools.yosys import Job, Synthesis, synthesise

FOLDER = "networks"


class Network(msgspec.Struct, frozen=True):
    """A design and what synthesis made of its top, with the adapters at both ends.

    `parts` are there where it was synthesised module by module: `synthesis` is their sum.
    """

    name: str
    design: Design
    synthesis: Synthesis
    parts: tuple[Part, ...] = ()

    @property
    def how(self) -> str:
        """The tool, and whether it saw all at once."""
        way = f"{len(self.parts)} modules" if self.parts else "flat"
        return f"{self.synthesis.tool} {self.synthesis.version}, {way}"


class NetworkLine(msgspec.Struct, frozen=True):
    """Measured and predicted counts of a network; `low` and `high` hold the fitted ones."""

    name: str
    tool: str
    seconds: float
    measured: dict[str, float]
    predicted: dict[str, float]
    low: dict[str, float]
    high: dict[str, float]


def measure(
    name: str,
    design: Design,
    params: Params,
    folder: Path,
    native: bool = False,
    timeout_s: float = 3600,
) -> Network:
    """Synthesise `design` flat for the family of its board and keep it in `folder`/networks as
    `name`.

    Raises ToolMissing and SynthesisFailed.
    """
    board = load_board(design.board)
    texts = files_of(design, params, board)
    sources = {n: t for n, t in texts.items() if n == "top.sv" or n.endswith(".mem")}
    sources |= {n: t for n, t in texts.items() if n.startswith("hw/") and n.count("/") == 1}
    job = Job(sources, "top", board.family, options=DSP[board.family], native=native)
    return _kept(Network(name, design, synthesise(job, timeout_s)), folder)


def measure_by_module(
    name: str,
    design: Design,
    waiting: Sequence[Piece],
    way: Way,
    folder: Path,
    done: Callable[[Part], None] = lambda part: None,
) -> Network:
    """As `measure`, for the `waiting` pieces of `design` one by one; `done` hears of each.

    What is stopped goes on behind the last run of Yosys, whose parts the user's cache holds.
    """
    parts = []
    for part in synthesise_pieces(waiting, way):
        parts.append(part)
        done(part)
    return _kept(Network(name, design, together(parts), tuple(parts)), folder)


def network_way(design: Design, native: bool = False, timeout_s: float = 3600) -> Way:
    """How `measure_by_module` synthesises for the board of `design`."""
    family = load_board(design.board).family
    return Way(family, DSP[family], native, timeout_s)


def _kept(network: Network, folder: Path) -> Network:
    path = folder / FOLDER / f"{network.name}-{network.synthesis.family}.json"
    write_bytes_atomic(path, msgspec.json.format(msgspec.json.encode(network), indent=1) + b"\n")
    return network


def read_networks(folder: Path, family: str) -> tuple[Network, ...]:
    """Networks of `family` in `folder`; raises BadInput for a file of another form."""
    return tuple(_read(path) for path in sorted((folder / FOLDER).glob(f"*-{family}.json")))


def compare(network: Network) -> NetworkLine:
    """The sum of predictions against synthesis."""
    found = estimate(network.design, load_board(network.design.board))
    counts = network.synthesis.counts
    ram = counts.bram18 + sum(n for kind, n in counts.ram.items() if not kind.startswith("RAMB"))
    measured = {"lut": counts.lut, "ff": counts.ff, "dsp": counts.dsp, "ram": ram}
    total = found.total
    predicted = {"lut": total.lut, "ff": total.ff, "dsp": total.dsp, "ram": sum(total.ram.values())}
    bounds = ({c: getattr(side, c) for c in FITTED} for side in (found.low, found.high))
    return NetworkLine(
        network.name, network.how, network.synthesis.seconds, measured, predicted, *bounds
    )


def _read(path: Path) -> Network:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Network)
    except msgspec.DecodeError as error:
        raise BadInput(f"{path}: not a measured network ({error})", path=str(path)) from error
