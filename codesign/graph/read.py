"""An ONNX file as qonnx's ModelWrapper, or a clear word on what is wrong with it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from codesign.errors import BadInput


def read_onnx(path: Path) -> Any:
    """Parse `path`; raises BadInput when it cannot be read, is no ONNX file, or is cut off."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read ({error.strerror})", path=str(path)) from error
    return _wrapped(path, _parsed(path, data))


def _parsed(path: Path, data: bytes) -> Any:
    from google.protobuf.message import DecodeError
    from onnx import ModelProto

    try:
        proto = ModelProto.FromString(data)
    except DecodeError as error:
        raise _not_onnx(path, len(data), "its bytes do not parse") from error
    if not proto.graph.node or not proto.opset_import:
        raise _not_onnx(path, len(data), "it holds no graph")
    return proto


def _not_onnx(path: Path, size_bytes: int, reason: str) -> BadInput:
    return BadInput(
        f"{path}: is not a whole ONNX file ({size_bytes} bytes; {reason}); export the model again "
        "with `codesign export`, or copy it again if it was cut off",
        path=str(path),
    )


def _wrapped(path: Path, proto: Any) -> Any:
    from onnx import TensorProto
    from qonnx.core.modelwrapper import ModelWrapper

    external = [i.name for i in proto.graph.initializer if i.data_location == TensorProto.EXTERNAL]
    if external:
        raise BadInput(
            f"{path}: keeps its weights in another file ({external[0]}, ...); save it as one file"
        )
    proto.graph.name = path.name  # messages name the file
    try:
        with warnings.catch_warnings():  # of old domain names, which a pass replaces anyway
            warnings.simplefilter("ignore")
            return ModelWrapper(proto)
    except Exception as error:  # qonnx states its demands by assertions
        raise BadInput(f"{path}: is not a valid graph ({error}); export it again") from error
