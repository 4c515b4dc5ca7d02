"""A design as a folder of SystemVerilog that needs nothing else.

top.sv            the accelerator
*.mem             contents of its memories
weights.hex       contents of those that are filled at start-up, where there are any
hw/*.sv           the library it instantiates
files.f           the list of these sources, to be read from inside the folder
tb.sv, bench.f    the test bench, with hw/bench/
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codesign.blocks.base import ParamRef, Params
from codesign.board import Board
from codesign.cost.family import load_family
from codesign.design import Design
from codesign.design_rules import verify
from codesign.errors import BadInput
from codesign.files import package_data, staged_folder
from codesign.npz import digest_of
from codesign.rtl.bench import bench_text
from codesign.rtl.large import WEIGHTS_FILE, large_rams, weights_text
from codesign.rtl.top import instances, memory_files, top_text
from codesign.sim.simulate import simulate


def build(design: Design, params: Params, board: Board, folder: Path) -> tuple[str, ...]:
    """Write the hardware of `design` to `folder`, whole or not at all; its file names, sorted.

    The same Design and parameters give the same bytes. Raises InvariantBroken or IllegalFold for an
    edited design, Deadlock when its depths stop it, BadInput when parameters are missing or those of
    another design, or when `folder` holds something else than such hardware.
    """
    _check_replaceable(folder)
    verify(design)
    simulate(design, board)
    files = files_of(design, params, board)
    with staged_folder(folder) as stage:
        for name, text in files.items():
            path = stage / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return tuple(sorted(files))


def _check_replaceable(folder: Path) -> None:
    """Raise BadInput for a folder that is not ours to replace: what lies there would be lost."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise BadInput(f"{folder}: must be a folder, found a file; choose another --out folder")
    ours = (folder / "files.f").exists() and not (folder / "design.json").exists()
    if any(folder.iterdir()) and not ours:
        raise BadInput(
            f"{folder}: must be empty or hold hardware built before, for it is replaced as a whole; "
            "found other files; choose another --out folder",
            path=str(folder),
        )


def files_of(design: Design, params: Params, board: Board) -> dict[str, str]:
    """Every file by its path inside the folder."""
    _check_params(design, params)
    family = load_family(board.family)
    rtls = instances(design, params, family)
    memories = {
        name: rtls[block].memories[parameter].text
        for block, names in memory_files(design, rtls).items()
        for parameter, name in names.items()
    }
    if rams := large_rams(design, rtls):
        memories[WEIGHTS_FILE] = weights_text(rams)
    library, bench = _texts("*.sv"), _texts("bench/*")
    sources = (*library, "top.sv")
    tops = {
        "top.sv": top_text(design, rtls),
        "tb.sv": bench_text(design, load_bits=family.load_bits),
    }
    lists = {
        "files.f": _lines(sources),
        "bench.f": _lines((*sources, *(n for n in bench if n.endswith(".sv")), "tb.sv")),
    }
    return {**tops, **lists, **memories, **library, **bench}


def _texts(pattern: str) -> dict[str, str]:
    """Files of the library, by their path inside the folder."""
    root = package_data("hw")
    return {f"hw/{p.relative_to(root)}": p.read_text() for p in sorted(root.glob(pattern))}


def _lines(names: tuple[str, ...]) -> str:
    return "".join(f"{name}\n" for name in names)


def _check_params(design: Design, params: Params) -> None:
    for block in design.blocks:
        for ref in block.params:
            rule = _broken_rule(ref, params.get(ref.name))
            if rule:
                raise BadInput(
                    f"design {design.name}, {block.name}: params.npz must hold {ref.name!r} {rule}; "
                    "it lies beside design.json, keep the two together",
                    block=block.name,
                    parameter=ref.name,
                )


def _broken_rule(ref: ParamRef, found: np.ndarray | None) -> str:
    """What the array that `ref` refers to must be and is not; empty where all is well."""
    if found is None:
        return f"of shape {ref.shape}, found none"
    if found.shape != ref.shape:
        return f"of shape {ref.shape}, found {found.shape}"
    if found.dtype.kind not in "iu":
        return f"as integers, found {found.dtype}"
    same = not ref.digest or digest_of(found) == ref.digest
    return "" if same else "with the values that the design was made of, found others"
