"""What the monitors of the test bench wrote (hw/bench/*_monitor.sv), as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codesign.design import Design
from codesign.rtl.inner import InnerWires, inner_wires
from codesign.rtl.top import Wires, wires

CYCLE_DIGITS = 8
_NIBBLE = np.zeros(256, np.uint8)
_NIBBLE[[*b"0123456789abcdef"]] = range(16)


@dataclass(frozen=True)
class Record:
    """One channel: cycle of each issue and release (tokens,), bits of each lane (beats, lanes).

    Of a channel inside a block no bits are recorded.
    """

    issues: np.ndarray
    releases: np.ndarray
    codes: np.ndarray


def read_records(folder: Path, design: Design) -> dict[str, Record]:
    """The records of every stream and of every channel inside a block, by their names."""
    streams = {link.stream.name: read_record(folder, link) for link in wires(design)}
    return streams | {i.name: read_inner(folder, i) for i in inner_wires(design)}


def read_inner(folder: Path, inner: InnerWires) -> Record:
    """The record of a channel inside a block."""
    ends = (f"{inner.file}.issue", f"{inner.file}.release")
    cycles = (_cycles(_lines(folder / end, CYCLE_DIGITS + 1)) for end in ends)
    return Record(*cycles, np.zeros((0, 0), np.int64))


def read_record(folder: Path, link: Wires) -> Record:
    """The record of one stream; a line that the simulator did not finish does not count."""
    stream = link.stream
    digits = -(-stream.bits // 4)
    issues = _lines(folder / f"{link.source}.issue", CYCLE_DIGITS + 1)
    releases = _lines(folder / f"{link.source}.release", CYCLE_DIGITS + digits + 2)
    data = releases[:, CYCLE_DIGITS + 1 : -1]
    return Record(
        _cycles(issues), _cycles(releases), _lane_codes(data, stream.lanes, stream.qtype.bits)
    )


def _lines(path: Path, length: int) -> np.ndarray:
    """The characters of a file of equal lines (lines, length)."""
    text = np.fromfile(path, np.uint8)
    return text[: len(text) // length * length].reshape(-1, length)


def _cycles(lines: np.ndarray) -> np.ndarray:
    nibbles = _NIBBLE[lines[:, :CYCLE_DIGITS]].astype(np.int64)
    return nibbles @ (1 << np.arange(4 * (CYCLE_DIGITS - 1), -1, -4))


def _lane_codes(digits: np.ndarray, lanes: int, bits: int) -> np.ndarray:
    """Lane values of hexadecimal words, the most significant digit first."""
    nibbles = _NIBBLE[digits[:, ::-1]]
    single = (nibbles[:, :, None] >> np.arange(4, dtype=np.uint8)) & 1
    single = single.reshape(len(digits), -1)[:, : lanes * bits].reshape(-1, lanes, bits)
    values = np.zeros(single.shape[:2], np.int64)
    for bit in range(bits):
        values |= single[:, :, bit].astype(np.int64) << bit
    return values
