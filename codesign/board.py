"""Boards: what a device holds, how much of it a design may use, how fast it is fed.

One data-only TOML file per board in `boards/`; nothing else in the project names a board.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import floor
from pathlib import Path

import msgspec

from codesign.cost.family import load_family
from codesign.cost.resources import Resources
from codesign.errors import BadInput
from codesign.files import package_data
from codesign.strict import load_toml, nearest


class Counts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the whole device holds; every count must be given. `lut` includes `lutram`."""

    lut: int
    lutram: int
    ff: int
    dsp: int
    ram: dict[str, int]


class Usable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fraction of the device that a design may fill before timing closure gets hard.

    The defaults are the vendor's whole-device guidance for 7 series and UltraScale+ (UG949,
    report_failfast: LUT 70 %, FF 50 %, block RAM and DSP 80 %). LUTRAM is ours: the guidance says
    25 % for shift registers and LUTRAM in designs of any kind, a dataflow design lives on FIFOs.
    """

    lut: float = 0.7
    lutram: float = 0.5
    ff: float = 0.5
    dsp: float = 0.8
    ram: float = 0.8


class Board(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A named board with the real numbers of its part.

    `stream_bits` is the width of the stream between host memory and accelerator, which runs at
    `clock_hz`; `memory_bandwidth_bytes_per_s` is what that memory can deliver. `constraints` is
    text in the constraint language of the family's tools (XDC, LPF or PCF) for port `clk_i`.
    """

    name: str
    title: str
    part: str
    family: str
    counts: Counts = msgspec.field(name="resources")
    usable: Usable
    clock_hz: float
    stream_bits: int
    memory_bandwidth_bytes_per_s: float
    source: str
    notes: str = ""
    constraints: str = ""

    def __post_init__(self) -> None:
        for key, found, rule in _broken_rules(self):
            raise ValueError(f"{key} must be {rule}, found {found!r}")

    @property
    def resources(self) -> Resources:
        """Everything the device holds."""
        c = self.counts
        return Resources(c.lut, c.lutram, c.ff, c.dsp, dict(c.ram))

    def budget(self) -> Resources:
        """What a design may use: the usable fraction of each count, rounded down."""
        c, u = self.counts, self.usable
        return Resources(
            _portion(c.lut, u.lut),
            _portion(c.lutram, u.lutram),
            _portion(c.ff, u.ff),
            _portion(c.dsp, u.dsp),
            {kind: _portion(count, u.ram) for kind, count in c.ram.items()},
        )

    def share(self, fraction: float, name: str | None = None) -> Board:
        """The same board with `fraction` (0 < fraction <= 1) of every resource; memory as it is."""
        if not 0 < fraction <= 1:
            raise BadInput(
                f"share of board {self.name}: must be over 0 and at most 1, found {fraction}",
                key="share",
                found=fraction,
            )
        c = self.counts
        part = Counts(
            *(_portion(count, fraction) for count in (c.lut, c.lutram, c.ff, c.dsp)),
            {kind: _portion(count, fraction) for kind, count in c.ram.items()},
        )
        return msgspec.structs.replace(
            self, counts=part, name=name or f"{self.name}-{fraction * 100:g}pct"
        )


def _portion(count: int, fraction: float) -> int:
    """`fraction` of `count`, rounded down; 0.7 x 10 is 7 although its double is just below."""
    return floor(count * fraction + 1e-9)


def _broken_rules(board: Board) -> Iterator[tuple[str, object, str]]:
    """(key, found, what it must be) of each rule that `board` breaks."""
    try:
        kinds = [kind.name for kind in load_family(board.family).block]
    except BadInput as error:
        yield "family", board.family, f"one of {', '.join(error.fields['known'])}"
        return
    if set(board.counts.ram) != set(kinds):
        yield (
            "resources.ram",
            board.counts.ram,
            f"given for {' and '.join(kinds)}, and no other kind",
        )
    counts = {k: getattr(board.counts, k) for k in ("lut", "lutram", "ff", "dsp")}
    for key, count in {**counts, **board.counts.ram}.items():
        if count < 0:
            yield f"resources.{key}", count, "at least 0"
    if board.counts.lutram > board.counts.lut:
        yield "resources.lutram", board.counts.lutram, f"at most lut = {board.counts.lut}"
    for key, fraction in msgspec.structs.asdict(board.usable).items():
        if not 0 < fraction <= 1:
            yield f"usable.{key}", fraction, "over 0 and at most 1"
    for key in ("clock_hz", "stream_bits", "memory_bandwidth_bytes_per_s"):
        if not 0 < getattr(board, key) < float("inf"):
            yield key, getattr(board, key), "over 0 and finite"


def board_names() -> list[str]:
    """Names of the boards that are shipped, sorted."""
    return sorted(p.stem for p in package_data("boards").glob("*.toml"))


def all_boards() -> list[Board]:
    """Every board that is shipped, sorted by name."""
    return [load_board(name) for name in board_names()]


def load_board(name_or_path: str | Path) -> Board:
    """Read a board by its name, or from a TOML file of the user's own.

    The name of a share, such as "pynq-z2-10pct", gives that share of the board.

    Raises BadInput for an unknown name (with the nearest ones) and for any mistake in the file.
    """
    path = Path(name_or_path)
    part = re.fullmatch(r"(.+)-(\d+(?:\.\d+)?)pct", str(name_or_path))
    if part is not None:
        return load_board(part[1]).share(float(part[2]) / 100)
    if path.suffix != ".toml":
        names = board_names()
        if str(name_or_path) not in names:
            hint = nearest(str(name_or_path), names)
            raise BadInput(
                f"board {str(name_or_path)!r} is not known{hint} (or give the path of a .toml file)",
                board=str(name_or_path),
                known=names,
            )
        path = package_data("boards") / f"{name_or_path}.toml"
    return load_toml(path, Board)
