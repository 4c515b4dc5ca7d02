"""The accelerator configuration: blocks, streams and board; everything downstream reads it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from codesign.blocks import AnyBlock
from codesign.blocks.base import Block, Params
from codesign.errors import BadInput
from codesign.files import write_all_atomic
from codesign.npz import read_npz
from codesign.types import QType

HOST = "host"
STYLE_LATENCY_CYCLES = {"register": 0, "srl": 0, "lutram": 0, "block": 1}


class Stream(msgspec.Struct, frozen=True):
    """A FIFO between two ports; `source` and `target` read "block.out0", "block.in1" or "host".

    One token is one beat of `lanes` elements. `depth` counts tokens, those in flight included;
    `style` says what the FIFO is made of.
    """

    source: str
    target: str
    qtype: QType
    lanes: int
    beats_per_frame: int
    depth: int = 2
    style: str = "register"

    @property
    def bits(self) -> int:
        """Width of one beat in bits."""
        return self.lanes * self.qtype.bits

    @property
    def name(self) -> str:
        """Stable name of the channel."""
        return f"{self.source}->{self.target}"


class HostInput(msgspec.Struct, frozen=True):
    """What the host sends: integers q of `qtype`, in stream order; real value = scale*q + offset.

    `shape` is (H, W, C), (L, C) or (C,), channels innermost; `onnx_shape` is the model's own
    input shape without the batch axis: (C, H, W), (C, L), or any other, which is then flattened.
    With `channels_last` it is (H, W, C) or (L, C), like `shape`.
    """

    name: str
    shape: tuple[int, ...]
    onnx_shape: tuple[int, ...]
    qtype: QType
    scale: float = 1.0
    offset: float = 0.0
    channels_last: bool = False


class HostOutput(msgspec.Struct, frozen=True):
    """What the host receives: `meaning` is "class" (index) or "logits" (integers, see `scale`)."""

    name: str
    shape: tuple[int, ...]
    qtype: QType
    meaning: Literal["class", "logits"] = "logits"
    scale: float = 1.0


class Design(msgspec.Struct, frozen=True, kw_only=True):
    """A complete accelerator for one board; JSON on disk, weights apart in params.npz.

    `origins` maps a block's name to the ONNX nodes or initialisers it came from.
    """

    name: str
    board: str
    clock_hz: Annotated[float, msgspec.Meta(gt=0)]
    input: HostInput
    output: HostOutput
    blocks: tuple[AnyBlock, ...]
    streams: tuple[Stream, ...]
    origins: dict[str, tuple[str, ...]] = {}
    notes: tuple[str, ...] = ()
    version: Literal[1] = 1

    def block(self, name: str) -> Block:
        """The block called `name`; raises BadInput."""
        for block in self.blocks:
            if block.name == name:
                return block
        known = ", ".join(b.name for b in self.blocks)
        raise BadInput(f"design {self.name}: there is no block {name!r}; there are {known}")


def save_design(design: Design, params: Params, folder: Path) -> None:
    """Write design.json and params.npz to `folder`, both or neither; raises BadInput."""
    arrays = io.BytesIO()
    np.savez_compressed(arrays, **params)
    text = msgspec.json.format(msgspec.json.encode(design, order="deterministic"), indent=2)
    folder = Path(folder)
    write_all_atomic(
        {folder / "params.npz": arrays.getvalue(), folder / "design.json": text + b"\n"}
    )


def load_design(path: Path) -> Design:
    """Read design.json (or the folder that holds it); raises BadInput with the offending key."""
    path = Path(path)
    path = path / "design.json" if path.is_dir() else path
    try:
        return msgspec.json.decode(path.read_bytes(), type=Design)
    except OSError as error:
        cure = "give the folder that `codesign estimate --out` or `codesign run` wrote"
        found = f"{path}: cannot be read ({error.strerror})"
        raise BadInput(f"{found}; {cure}", path=str(path)) from error
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise BadInput(
            f"{path}: is not a valid design ({error}); build it again with `codesign estimate`",
            path=str(path),
        ) from error


def load_params(path: Path) -> dict[str, np.ndarray]:
    """Read params.npz beside design.json; raises BadInput."""
    path = Path(path)
    path = (path if path.is_dir() else path.parent) / "params.npz"
    return read_npz(path, "it lies beside design.json, keep the two together")
