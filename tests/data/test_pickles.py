"""CIFAR-10 pickles: what Python 2 wrote is read, anything that runs code is refused."""

from __future__ import annotations

import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from codesign.data.cifar10 import BATCH_ROWS, PIXELS, read_pickle
from codesign.errors import BadInput


def python2_batch(pixels: np.ndarray, labels: list[int]) -> bytes:
    """The opcodes that Python 2's pickle wrote for {"data": array, "labels": list}, protocol 2."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    raw = pixels.tobytes()
    dtype = b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R"
    dtype += b"(" + number(3) + text(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
    array += number(0) + b"\x85" + text(b"b") + b"\x87R"
    array += b"(" + number(1) + number(pixels.shape[0]) + number(pixels.shape[1]) + b"\x86"
    array += dtype + b"\x89" + b"T" + struct.pack("<i", len(raw)) + raw + b"tb"
    listed = b"](" + b"".join(b"K" + bytes([label]) for label in labels) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + listed + b"u."


@pytest.fixture(scope="module")
def batch() -> tuple[np.ndarray, list[int]]:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (BATCH_ROWS, PIXELS), dtype=np.uint8)
    return pixels, rng.integers(0, 10, BATCH_ROWS).tolist()


def test_a_batch_as_python_2_wrote_it_is_read(
    tmp_path: Path, batch: tuple[np.ndarray, list[int]]
) -> None:
    (tmp_path / "data_batch_1").write_bytes(python2_batch(*batch))
    split = read_pickle(tmp_path / "data_batch_1")
    assert np.array_equal(split.x.reshape(BATCH_ROWS, PIXELS), batch[0])
    assert split.y.tolist() == batch[1]


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_batch_that_python_3_wrote_is_read(
    tmp_path: Path, batch: tuple[np.ndarray, list[int]], protocol: int
) -> None:
    made = pickle.dumps({b"data": batch[0], b"labels": batch[1]}, protocol)
    (tmp_path / "data_batch_1").write_bytes(made)
    assert read_pickle(tmp_path / "data_batch_1").y.tolist() == batch[1]


@pytest.mark.parametrize("module", ["os", "posix", "subprocess", "builtins"])
def test_a_pickle_that_runs_code_is_refused_and_not_run(tmp_path: Path, module: str) -> None:
    function = {"subprocess": "call", "builtins": "eval"}.get(module, "system")
    mark = tmp_path / "ran"
    argument = f"open({str(mark)!r}, 'w')" if module == "builtins" else f"touch {mark}"
    code = f"c{module}\n{function}\n(S{argument!r}\ntR.".encode()
    (tmp_path / "data_batch_1").write_bytes(code)
    with pytest.raises(BadInput, match=f"{module}.{function}.*only arrays"):
        read_pickle(tmp_path / "data_batch_1")
    assert not mark.exists()


def test_a_codec_other_than_that_of_bytes_is_refused(tmp_path: Path) -> None:
    code = b"c_codecs\nencode\n(VAAAA\nVutf-16\ntR."
    (tmp_path / "data_batch_1").write_bytes(code)
    with pytest.raises(BadInput, match="codec utf-16"):
        read_pickle(tmp_path / "data_batch_1")
